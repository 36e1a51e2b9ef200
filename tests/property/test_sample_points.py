"""Whatever a sample says, its point and its line are what the mapping says in plain words."""

from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import EARLIEST, LATEST
from schemas.encode import encode
from schemas.telemetry import (
    AlarmPriority,
    DeviceAlarm,
    Generation,
    Mode,
    Telemetry,
    Validity,
)
from streams.stores.fitness import fitted
from streams.stores.instant import time_of, us_of
from streams.stores.line_protocol import line_of
from streams.stores.points import points_of
from streams.stores.port import Field
from streams.stores.shapes import slot

TAGS = ("bed", "device", "patient", "unit")
_TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
_ODD = st.text(',= "\\\n\r\x1b\x00\x7f\tü0a', min_size=1, max_size=8)
_words = st.one_of(_TEXTS, _ODD)


def _up_to(most: float) -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(0, most)


samples = st.builds(
    Telemetry,
    time=st.integers(us_of(EARLIEST), us_of(LATEST)).map(time_of),
    device=_words,
    patient=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    unit=_words,
    bed=_words,
    mode=st.sampled_from(get_args(Mode)),
    seq=st.none() | st.integers(0, 2**63 - 1),
    set_ppm=_up_to(100),
    no_ppm=_up_to(200),
    no2_ppm=_up_to(50),
    fio2_pct=_up_to(100),
    spo2_pct=_up_to(100),
    cylinder_bar=_up_to(300),
    validity=st.none() | st.sampled_from(get_args(Validity)),
    generation=st.none() | st.sampled_from(get_args(Generation)),
    alarms=st.none()
    | st.lists(
        st.builds(
            DeviceAlarm,
            code=_words,
            priority=st.sampled_from(get_args(AlarmPriority)),
            active=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
)


def plain_fields(sample: Telemetry) -> dict[str, Field]:
    """Each known number and word under its own name, alarms as JSON, the whole as ``record``."""
    fields: dict[str, Field] = {}
    for name, value in msgspec.to_builtins(sample).items():
        if value is None or name in {"type", "time", *TAGS}:
            continue
        if isinstance(value, tuple):
            fields[name] = msgspec.json.encode(value).decode()
        else:
            fields[name] = value if isinstance(value, str) else float(value)
    return fields | {"record": encode(sample).decode()}


def plain_line(sample: Telemetry) -> str:
    """The line, character by character."""
    tags = "".join(f",{name}={_tag(getattr(sample, name))}" for name in TAGS)
    fields = ",".join(
        f"{name}={_field(value) if isinstance(value, str) else repr(value)}"
        for name, value in plain_fields(sample).items()
    )
    return f"telemetry{tags} {fields} {us_of(sample.time) * 1000 + slot(sample.seq)}"


def _tag(text: str) -> str:
    return "".join(
        f"\x1b{ord(one):02x}"
        if one < " " or one in "\x7f\\"
        else f"\\{one}" * (one in ",= ") or one
        for one in text
    )


def _field(text: str) -> str:
    marked = (f"\x1b{ord(one):02x}" if one in "\n\r\x1b" else one for one in text)
    return '"' + "".join(f"\\{one}" if one in '\\"' else one for one in marked) + '"'


@settings(max_examples=300, deadline=None)
@given(samples)
def test_a_sample_becomes_what_is_written(sample: Telemetry) -> None:
    """Fields, their order, tags, time, twin and the line to the byte."""
    (point,) = points_of(sample, encode(sample))
    assert list(point.fields.items()) == list(plain_fields(sample).items())
    assert all(isinstance(value, float | str) for value in point.fields.values())
    assert point.tags == {name: getattr(sample, name) for name in TAGS}
    assert (point.time, point.twin) == (sample.time, slot(sample.seq))
    assert fitted(point) == point
    assert line_of(fitted(point)) == plain_line(sample).encode()
