"""The sentence of ``eligibility-review``: as long as it may be, honest about what it leaves out."""

from datetime import UTC, datetime

from alerts.profile_book import load_profile
from alerts.rule import Finding
from alerts.rules.eligibility_review import MOST_CHARS, RULE
from schemas.state import Asked, CourseState, PatientState

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
BEFORE_WORDS = "eligibility: label asks for "


def finding(*items: tuple[str, str]) -> Finding:
    """What is told of a course that contradicts these."""
    course = CourseState(T0, T0, T0, counting=True, contradicted=Asked(items, T0))
    return RULE.finding(PatientState("p1", course=course), load_profile("default"), T0)


def test_a_sentence_is_cut_between_two_items() -> None:
    """What fits is told to the last character; of what does not, the number is."""
    first = "x" * (MOST_CHARS - len(BEFORE_WORDS) - len(", y"))
    assert len(finding(("label", first), ("label", "y")).summary) == MOST_CHARS == 360
    assert finding(("label", first), ("label", "y")).summary == f"{BEFORE_WORDS}{first}, y"
    one_more = finding(("label", first), ("label", "yy"), ("s2", "z")).summary
    assert one_more == f"{BEFORE_WORDS}{first}; and 2 more"


def test_the_first_item_is_never_left_out() -> None:
    """One item that is too long by itself is told all the same."""
    assert finding(("label", "x" * MOST_CHARS)).summary == f"{BEFORE_WORDS}{'x' * MOST_CHARS}"


def test_a_policy_that_is_gone_is_named_without_a_version() -> None:
    """What was asked for before an update took a policy away is told, with its name as source."""
    told = finding(("gone", "papers"), ("label", "x"), ("gone", "more"))
    assert told.summary == (
        "eligibility: gone asks for papers; label asks for x; gone asks for more"
    )
    assert told.source == "gone; label 020845s020"
