"""``inowatch explain ALERT_ID``: the evidence behind one alert, in words or as one JSON object.

All times are UTC. Knows words and columns; what belongs to an alert ``evidence`` knows.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from alerts.numbers import BOUNDS
from alerts.profile_book import ProfileBook
from alerts.reasons import WORDS
from schemas.alert import Alert, place
from schemas.lab import Lab
from schemas.state import Context
from schemas.telemetry import Telemetry
from streams.evidence import Evidence, Samples, gather
from streams.journal.looked import note_view
from streams.stores.open import open_store

Form = Literal["text", "json"]
_ID = re.compile(r"[0-9a-f]{32}")


class NoSuchAlert(LookupError):
    """The store holds no alert of this id."""


def is_alert_id(word: str) -> bool:
    """Whether the word has the form of an alert's id."""
    return _ID.fullmatch(word) is not None


def explain_alert(alert_id: str, address: str, form: Form, book: ProfileBook) -> str:
    """Read the store at ``address``, note who looks, and write what stands behind the alert.

    Raises ``NoSuchAlert``, and what ``open_store`` and reading raise.
    """
    with closing(open_store(address, make=False)) as store:
        evidence = gather(store, alert_id, book)
    if evidence is None:
        raise NoSuchAlert(f"{address} holds no alert {alert_id}")
    first = evidence.transitions[0]
    note_view("explain", patient=first.patient, unit=first.unit, store=address)
    if form == "json":
        return msgspec.json.encode(evidence).decode()
    return "\n".join(_lines(evidence))


def _lines(evidence: Evidence) -> Iterator[str]:
    first = evidence.transitions[0]
    yield f"{evidence.rule}, alert {evidence.id}"
    started = f"in the course since {_when(first.course)}" if first.course else "outside a course"
    yield f"{place(first.bed)}, {first.unit}, patient {first.patient}, {started}"
    for doubt in evidence.doubts:
        yield f"Note: {doubt}"
    yield from _part("What was decided", _decided(evidence.transitions), "")
    yield from _part("Who was told", _told(evidence), "nobody, as far as this store knows")
    yield from _part("What people did", _done(evidence), "nothing, as far as this store knows")
    yield from _part("What was known of the patient", _known(evidence.context), "nothing")
    if evidence.rule.startswith("methb-"):
        labs = [_lab(lab, first) for lab in evidence.labs]
        yield from _part("Methemoglobin of the course", labs, "none was collected")
    yield from _part("The samples", _samples(evidence.samples, first), "")
    if evidence.changes:
        yield from _part("Changes of the profile", _changes(evidence), "")
    limits = [
        f"{number.name}: {BOUNDS[number.bound]} {number.written}; {number.source}"
        for number in evidence.numbers
    ]
    yield from _part("The limits", limits, "this rule has no numbers")


def _part(title: str, lines: Iterable[str], otherwise: str) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}" for line in list(lines) or [otherwise])


def _decided(transitions: list[Alert]) -> Iterator[str]:
    for alert in transitions:
        yield f"{_when(alert.at)}  {alert.phase} {alert.priority}: {alert.summary}"
        unit = alert.unit_of_measure or ""
        numbers = [
            f"{name} {value:g} {unit}".rstrip()
            for name, value in (("value", alert.value), ("limit", alert.limit))
            if value is not None
        ]
        parts = [_reason(alert.reason), *numbers, alert.source]
        yield "    " + ", ".join(part for part in parts if part)
        yield f"    onset {_when(alert.onset)}, judged by {alert.profile}, {alert.rules_version}"


def _reason(code: str) -> str:
    """The code and its words; a later version of the rules may have had another."""
    words = next((words for reason, words in WORDS.items() if reason == code), None)
    return f"{code} ({words})" if words else code


def _told(evidence: Evidence) -> Iterator[str]:
    for page in evidence.pages:
        about = f"{page.phase} {page.priority}, attempt {page.attempt}"
        why = f": {page.reason}" if page.reason else ""
        yield f"{_when(page.time)}  {page.sink} {page.outcome}{why} ({about})"


def _done(evidence: Evidence) -> Iterator[str]:
    for action in evidence.actions:
        until = f" until {_when(action.until)}" if action.until else ""
        why = f": {action.reason}" if action.reason else ""
        yield f"{_when(action.time)}  {action.by}: {action.action}{until}{why}"


def _known(context: Context) -> Iterator[str]:
    """Each field that somebody has filled, with the time of the word that stands."""
    known: dict[str, Any] = msgspec.to_builtins(context)
    for name, said in sorted(context.said.items()):
        value: Any = known
        for part in name.split("."):
            value = value[part]
        yield f"{name}: {_plain(value)} (said {_when(said)})"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lab(lab: Lab, alert: Alert) -> str:
    value = "no value" if lab.value_pct is None else f"{lab.value_pct:g} %"
    told = f"resulted {_when(lab.resulted)}" if lab.resulted else "time of the result not known"
    late = ", after the alert" if lab.resulted and lab.resulted > alert.at else ""
    return f"{_when(lab.time)}  {value}, {lab.status}, {told}{late} ({lab.id})"


def _changes(evidence: Evidence) -> Iterator[str]:
    for change in evidence.changes:
        by = f" by {change.by}" if change.by else ""
        yield f"{_when(change.time)}  from {change.old} to {change.new}, {change.cause}{by}"


_COLUMNS = ("set_ppm", "no_ppm", "no2_ppm", "fio2_pct", "spo2_pct", "cylinder_bar")


def _samples(samples: Samples, first: Alert) -> Iterator[str]:
    """The samples around the two moments, each moment as a line between them."""
    yield f"{samples.count} from {_when(samples.start)} to {_when(samples.stop)}"
    yield f"{'time':27} {'device':10} {'mode':11}" + "".join(f"{name:>9}" for name in _HEADS)
    began = "onset" if samples.moments[0] == first.onset else "start of the course"
    moments = [(samples.moments[0], began), (samples.moments[1], f"{first.phase}")]
    shown = 0
    for stretch in samples.stretches:
        if stretch.left_out:
            yield f"... {stretch.left_out} more ..."
        for sample in stretch.samples:
            while moments and sample.time >= moments[0][0]:
                yield _moment(*moments.pop(0))
            yield _sample(sample)
        shown += stretch.left_out + len(stretch.samples)
    for moment in moments:
        yield _moment(*moment)
    if samples.count > shown:
        yield f"... {samples.count - shown} more ..."


_HEADS = ("set ppm", "NO ppm", "NO2 ppm", "FiO2 %", "SpO2 %", "bar")


def _moment(at: datetime, name: str) -> str:
    return f"{_when(at):27} ---- {name}"


def _sample(sample: Telemetry) -> str:
    numbers = [getattr(sample, name) for name in _COLUMNS]
    cells = "".join(f"{'-' if number is None else f'{number:g}':>9}" for number in numbers)
    remarks = [
        str(mark)
        for mark, usual in ((sample.validity, "valid"), (sample.generation, "real"))
        if mark not in (None, usual)
    ]
    remarks += [f"alarm {alarm.code}" for alarm in sample.alarms or () if alarm.active]
    row = (
        f"{_when(sample.time):27} {sample.device:10} {sample.mode:11}{cells}  {', '.join(remarks)}"
    )
    return row.rstrip()


def _when(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(sep=" ").replace("+00:00", "Z")
