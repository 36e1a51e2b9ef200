"""The page of promises names its tests; each of them is there."""

import re
from pathlib import Path

from tests.faults.faults import ALONE

ROOT = Path(__file__).parents[2]
PAGE = ROOT.joinpath("docs/guarantees.md").read_text()


def test_every_test_is_there() -> None:
    """A promise whose test was renamed would stand on nothing."""
    named = re.findall(r"`(tests/[^`]+)`", PAGE)
    assert len(named) > 5
    assert [path for path in named if not ROOT.joinpath(path).is_file()] == []


def test_every_fault_is_there() -> None:
    """A promise names faults by the words that ``make faults`` takes."""
    named = set(re.findall(r"[a-z]+(?:-[a-z]+)+", " ".join(re.findall(r"faults ([^;*]+)", PAGE))))
    assert len(named & ALONE.keys()) > 15
    assert sorted(named - ALONE.keys()) == []
