"""Every scenario is run through the core: exactly its alerts, and silence otherwise."""

from pathlib import Path

import pytest

from streams.scenario.check import differences, run
from streams.scenario.file import read_scenario

FILES = sorted(Path(__file__).parents[1].joinpath("scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    """A scenario brings exactly the transitions that it expects."""
    scenario = read_scenario(path)
    assert differences(scenario, run(scenario)) == []


def test_there_are_scenarios() -> None:
    """The folder is found: no run passes because nothing was there to run."""
    assert len(FILES) > 30
