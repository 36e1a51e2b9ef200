"""The arithmetic of stretches of time, against sets of minutes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.whatif.spans import Span, joined, length, meets, shared, without

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MIN = timedelta(minutes=1)
ENDS = st.tuples(st.integers(0, 20), st.integers(0, 20))
SPANS = st.lists(ENDS, max_size=6).map(
    lambda pairs: [(BEGIN + min(pair) * MIN, BEGIN + max(pair) * MIN) for pair in pairs]
)


def minutes(spans: list[Span]) -> set[int]:
    """The minutes that lie in the spans."""
    found: set[int] = set()
    for start, end in spans:
        found |= set(range((start - BEGIN) // MIN, (end - BEGIN) // MIN))
    return found


@given(SPANS, SPANS)
def test_spans_are_sets_of_moments(some: list[Span], more: list[Span]) -> None:
    """Joined, shared and without are what union, intersection and difference are to sets."""
    ones, others = joined(some), joined(more)
    assert ones == sorted(ones)
    assert minutes(ones) == minutes(some)
    assert minutes(shared(ones, others)) == minutes(some) & minutes(more)
    assert minutes(without(ones, others)) == minutes(some) - minutes(more)
    for spans in (ones, shared(ones, others), without(ones, others)):
        assert length(spans) == len(minutes(spans)) * MIN
    for one in some:
        assert meets(one, others) == bool(minutes([one]) & minutes(more))
