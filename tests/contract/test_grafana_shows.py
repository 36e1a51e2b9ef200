"""What Grafana's own code (``@grafana/data``) makes of the boards, without a Grafana."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from streams.grafana.golden import example
from tests.contract.receiver import node_packages

DATA, REACT, RXJS = "11.6.0", "18.3.1", "7.8.1"
PROGRAM = Path(__file__).with_name("grafana_shows.cjs")
LIMIT_S = 60
PANELS = [panel for board in example().boards for panel in board["panels"]]
Column = tuple[str, str, list[Any]]


@pytest.fixture(scope="module")
def home() -> Path:
    """Find Grafana's package; it asks for React, which nothing here draws with."""
    packages = [f"@grafana/data@{DATA}", f"react@{REACT}", f"react-dom@{REACT}", f"rxjs@{RXJS}"]
    return node_packages(f"grafana-data-{DATA}", packages)


def shown(
    home: Path, panel: dict[str, Any], *frames: list[Column], values: list[Any] | None = None
) -> dict[str, Any]:
    """Run Grafana's code over a panel and what its questions were answered with."""
    given = [
        {"fields": [{"name": name, "type": kind, "values": found} for name, kind, found in frame]}
        for frame in frames
    ]
    done = subprocess.run(
        ["node", str(PROGRAM)],
        input=json.dumps({"panel": panel, "frames": given, "values": values or []}),
        env=os.environ | {"NODE_PATH": str(home / "node_modules")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def the(title: str) -> dict[str, Any]:
    """Return the panel of this title."""
    return next(panel for panel in PANELS if panel["title"] == title)


def test_beds_stand_the_worst_first_and_nobody_is_left_out(home: Path) -> None:
    """A bed with nothing open stands last, an alert of a bed that is not heard stands all the same.

    The columns are those that the two questions answer with.
    """
    beds: list[Column] = [
        ("age_s", "number", [10, 20, 30, 40]),
        ("bed", "string", ["1", "2", "3", "4"]),
        ("patient", "string", ["p1", "p2", "p3", "p4"]),
        ("set_ppm", "number", [20, 45, None, 5]),
        ("unit", "string", ["u", "u", "u", "u"]),
    ]
    alerts: list[Column] = [
        ("patient", "string", ["*", "p2", "p4", "p3"]),
        ("count", "number", [1, 2, 1, 1]),
        ("rank", "string", ["1", "1", "2", "4"]),
        ("state", "string", ["*** HIGH", "*** HIGH", "** MEDIUM", "INFO"]),
    ]
    rows = shown(home, the("Beds, the worst first"), beds, alerts)["rows"]
    found = [(row["Bed"], row["Worst open alert"], row["Set"]) for row in rows]
    assert sorted(found[:2], key=str) == [("2", "*** HIGH", 45), (None, "*** HIGH", None)]
    assert found[2:] == [("4", "** MEDIUM", 5), ("3", "INFO", None), ("1", None, 20)]
    assert list(rows[0])[:3] == ["Bed", "Unit", "Worst open alert"]


def test_beds_stand_though_nothing_is_open(home: Path) -> None:
    """The question for alerts may have no answer at all."""
    beds: list[Column] = [("bed", "string", ["1"]), ("patient", "string", ["p1"])]
    rows = shown(home, the("Beds, the worst first"), beds)["rows"]
    assert rows == [{"Bed": "1", "Patient": "p1"}]


@pytest.mark.parametrize("panel", [one for one in PANELS if one["type"] == "stat"][::5])
def test_a_figure_has_its_word(home: Path, panel: dict[str, Any]) -> None:
    """No value reads NO DATA, and a count of nothing is not mistaken for it."""
    nothing, zero = shown(home, panel, values=[None, 0])["words"]
    assert nothing == "NO DATA"
    assert zero != "NO DATA"


def test_states_have_words_and_stars(home: Path) -> None:
    """What a timeline or a table answers reads as it stands, with the stars of its priority."""
    values = ["*** HIGH", "** MEDIUM", "* LOW", "NO DATA", "high", "delivering", None]
    words = shown(home, the("Raised, by rule"), values=values)["words"]
    assert words == [
        "*** HIGH",
        "** MEDIUM",
        "* LOW",
        "NO DATA",
        "*** high",
        "delivering",
        "NO DATA",
    ]


def test_receivers_read_as_a_sentence(home: Path) -> None:
    """Who, whether it takes pages, for how long not and why, in this order; the state is a word."""
    answer: list[Column] = [
        ("failing_s", "number", [90, 0]),
        ("reason", "string", ["503 no", "-"]),
        ("sink", "string", ["pagerduty", "webhook"]),
        ("state", "string", ["FAILING", "no trouble"]),
    ]
    found = shown(home, the("Receivers"), answer, values=["FAILING", "trying again", None])
    assert [list(row.items()) for row in found["rows"]] == [
        [("Receiver", "pagerduty"), ("State", "FAILING"), ("For", 90), ("Why", "503 no")],
        [("Receiver", "webhook"), ("State", "no trouble"), ("For", 0), ("Why", "-")],
    ]
    assert found["words"] == ["FAILING", "trying again", "NO DATA"]
