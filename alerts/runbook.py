"""A rule's runbook: a frame made from the registry, around words that people have written.

What stands between the two marks is written by hand and kept; all around it is made anew from the
rule and the profile, and a test fails when that is stale. Pure: it knows no file.
"""

from collections.abc import Iterator

from alerts.limits import Limits
from alerts.numbers import filled
from alerts.rule import AnyRule

BEGIN, END = "<!-- written by hand: from here -->", "<!-- written by hand: up to here -->"
SECTIONS = ("What it means", "Check", "Act", "Who to call", "Acknowledge")
_FIRST = """\
**The baby and the device come first.** This is a secondary alarm: the device's own alarms, local
protocol and the prescriber's orders go before every word here. The words are a draft for local
clinical review."""


def runbook(rule: AnyRule, limits: Limits, before: str = "") -> str:
    """Write a rule's runbook; the words of ``before``, its older text, are kept.

    Without any, the sections that have to be written stand empty.
    """
    return "\n".join(_lines(rule, limits, words_of(before) or _empty()))


def words_of(text: str) -> str:
    """Return what was written by hand; empty when there are no marks."""
    _, begin, rest = text.partition(BEGIN)
    words, end, _ = rest.partition(END)
    return words.strip("\n") if begin and end else ""


def _lines(rule: AnyRule, limits: Limits, words: str) -> Iterator[str]:
    yield f"# {rule.name}: {rule.title}"
    yield ""
    yield _FIRST
    yield ""
    yield "Raised (default profile):"
    yield ""
    for priority, raised in rule.raised.items():
        yield f"- **{priority}**: {filled(raised, limits)}"
    yield ""
    yield f"Clears: {filled(rule.clears, limits)}."
    yield ""
    yield f"Why, and where each number comes from: [the rule book](../rules.md#{rule.name})."
    yield ""
    yield BEGIN
    yield ""
    yield words
    yield ""
    yield END
    yield ""
    yield (
        "What stands behind one alert, and who was told: `inowatch explain ALERT_ID`. This frame is"
        " made by `make boards`; only what stands between the marks is kept."
    )
    yield ""


def _empty() -> str:
    return "\n\n".join(f"## {section}" for section in SECTIONS)
