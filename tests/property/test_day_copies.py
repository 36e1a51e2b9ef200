"""Whatever is written between two questions, copies give the rows that the store gives."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.telemetry import Telemetry
from streams.audit.day_copies import DayCopies
from streams.audit.reading import fill, in_memory, make_table
from streams.audit.tables import TELEMETRY
from streams.stores.points import points_of
from streams.stores.sqlite import SqliteStore

BEGIN = datetime(1969, 12, 31, 12, tzinfo=UTC)
"""Days before and after 1970 are days alike."""
_moments = st.integers(0, 12).map(lambda six_hours: BEGIN + six_hours * timedelta(hours=6))
_samples = st.builds(
    Telemetry,
    time=_moments,
    device=st.sampled_from(["d-1", "d-2"]),
    patient=st.sampled_from(["p-1", "p-2"]),
    unit=st.just("nicu"),
    bed=st.just("1"),
    mode=st.sampled_from(["delivering", "off"]),
    seq=st.none() | st.integers(0, 3),
    set_ppm=st.none() | st.floats(0, 40),
)
_spans = st.tuples(_moments, _moments).map(sorted)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.lists(_samples, max_size=4), _spans), min_size=1, max_size=5))
def test_copies_follow_the_store(turns: list[tuple[list[Telemetry], list[datetime]]]) -> None:
    """A turn writes some samples, in any order of time, and asks of some part of the history."""
    with TemporaryDirectory() as home, closing(SqliteStore(Path(home, "ward.db"))) as store:
        copies = DayCopies(Path(home, "days"), store)
        for samples, (start, stop) in turns:
            store.write([point for sample in samples for point in points_of(sample)])
            with in_memory() as copied, in_memory() as read:
                for con in (copied, read):
                    make_table(con, TELEMETRY)
                copies.fill(copied, TELEMETRY, (start, stop), lambda _: None)
                fill(read, store, TELEMETRY, (start, stop), lambda _: None)
                rows = copied.execute("FROM telemetry").fetchall()
                assert rows == read.execute("FROM telemetry").fetchall()
