"""Questions about whom it was given to: flags, missing context, payers and the days of a course."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit_asked import asked, at, by_patient, context, samples

FLAGS = {
    "cdh": False,
    "right_to_left_shunt_dependent": False,
    "echo_confirmed_ph": True,
    "conventional_therapy_failed": True,
}
COMPLETE: dict[str, Any] = {
    "gestational_age": "38w2d",
    "indication": "hrf-pphn",
    "oxygenation_index": 30.0,
    "payer": "PacificSource",
    "flags": FLAGS,
}


def born(days_before: float) -> datetime:
    """A birth so many days before the story begins."""
    return at(-24 * days_before)


def test_flags_say_what_a_policy_asks_about(tmp_path: Path) -> None:
    """33w6d is early, 34w0d the border, 34w1d neither; 14 days is older, a minute less is not."""
    known: dict[str, dict[str, Any]] = {
        "early": {"gestational_age": "33w6d"},
        "border": {"gestational_age": "34+0"},
        "above": {"gestational_age": "34 1/7"},
        "old": {"born": born(14)},
        "young": {"born": born(14 - 1 / 1440)},
        "hernia": {"flags": {"cdh": True}},
        "ards": {"indication": "ards"},
        "adult": {"born": born(6575)},
        "unborn": {"born": born(-1)},
    }
    records: list[Any] = []
    for name, own in known.items():
        records += samples(name, [(0, 20), (1, 0)], 1)
        records.append(context(name, **{**COMPLETE, "born": born(3), **own}))
    records += samples("nobody", [(0, 20), (1, 0)], 1)
    rows = asked(tmp_path, "flags", records)
    assert by_patient(rows, "result", "reason") == {
        "early": ("yes", "born too early"),
        "border": ("yes", "born at the border"),
        "above": ("no", "none of them"),
        "old": ("yes", "older at the start"),
        "young": ("no", "none of them"),
        "hernia": ("yes", "diaphragmatic hernia"),
        "ards": ("yes", "ARDS"),
        "adult": ("yes", "older at the start, adult"),
        "unborn": ("indeterminate", "not known: age"),
        "nobody": (
            "indeterminate",
            "not known: gestational age, age, diaphragmatic hernia, indication",
        ),
    }
    assert by_patient(rows, "gestational_age")["border"] == "34w0d"


def test_the_newest_word_on_a_field_counts(tmp_path: Path) -> None:
    """A later record that says nothing of a field leaves it, one that does replaces it."""
    rows = asked(
        tmp_path,
        "missing-context",
        [
            *samples("p", [(0, 20), (1, 0)], 1),
            context("p", 0, indication="other", flags={"echo_confirmed_ph": False}),
            context("p", 0.5, indication="hrf-pphn", flags={"cdh": False}),
            *samples("q", [(0, 20), (1, 0)], 1),
            context("q", 0, flags={"cdh": False}),
        ],
    )
    told = by_patient(rows, "result", "indication", "echo_of_pulmonary_hypertension")
    assert told == {
        "p": ("no", "hrf-pphn", "absent"),
        "q": ("yes", None, "not recorded"),
    }


def test_without_any_context_nothing_can_be_missed(tmp_path: Path) -> None:
    """Where no context of anybody came there may be no feed at all."""
    (row,) = asked(tmp_path, "missing-context", samples("p", [(0, 20), (1, 0)], 1))
    assert (row["result"], row["reason"]) == (
        "indeterminate",
        "no context of anybody is on record: is there a feed?",
    )


@pytest.mark.parametrize(
    ("own", "until_h", "result", "words"),
    [
        ({}, 336.0, "met", None),
        ({}, 336.1, "review needed", "use for at most 14 days"),
        ({"gestational_age": "33w6d"}, 10.0, "review needed", "at least 34 weeks at birth"),
        ({"flags": {**FLAGS, "cdh": None}}, 10.0, "indeterminate", "hernia (not recorded)"),
    ],
)
def test_a_payers_criteria_are_those_of_the_policy(
    tmp_path: Path, own: dict[str, Any], until_h: float, result: str, words: str | None
) -> None:
    """The same policies that `inowatch policy` reads; beyond 14 days a review is needed."""
    readings: dict[str, Any] = {"fio2_pct": 45.0, "spo2_pct": 92.0}
    rows = asked(
        tmp_path,
        "payers",
        [
            *samples("p", [(0, 20), (until_h, 0)], until_h, every_s=120, **readings),
            context("p", **{**COMPLETE, "born": born(2), **own}),
        ],
    )
    by_policy = {row["policy"]: row for row in rows}
    assert set(by_policy) == {"pacificsource", "label", "clinical-summary"}
    row = by_policy["pacificsource"]
    assert row["result"] == result
    assert words is None or words in row["reason"]


def test_a_payer_without_a_policy_here_has_a_line_of_its_own(tmp_path: Path) -> None:
    """Nothing is said of what is not known, neither yes nor no."""
    rows = asked(
        tmp_path,
        "payers",
        [
            *samples("none", [(0, 20), (1, 0)], 1),
            *samples("other", [(0, 20), (1, 0)], 1),
            context("other", payer="somebody else"),
        ],
    )
    told = [(row["patient"], row["result"], row["reason"]) for row in rows if not row["policy"]]
    assert told == [
        ("none", "indeterminate", "the payer is not recorded"),
        ("other", "indeterminate", "no policy of this payer is known here"),
    ]


def test_the_days_of_a_course_say_when_a_review_is_due(tmp_path: Path) -> None:
    """The fifteenth day is beyond 14; a day that nobody saw is indeterminate."""
    rows = asked(
        tmp_path,
        "payer-days",
        [
            *samples("p", [(0, 20), (336.5, 0)], 337, every_s=120),
            *samples("q", [(0, 20), (72, 0)], 72, every_s=120, silent=[(24, 48)]),
        ],
    )
    days = {(row["patient"], row["day"]): row for row in rows}
    assert len([key for key in days if key[0] == "p"]) == 15
    assert days["p", 14]["result"] == "met"
    assert (days["p", 15]["result"], days["p", 15]["delivered_h"]) == ("review needed", 0.5)
    assert [days["q", day]["result"] for day in (1, 2, 3)] == ["met", "indeterminate", "met"]
    assert (days["q", 2]["delivered_h"], days["q", 2]["coverage_pct"]) == (24.0, 0.0)
