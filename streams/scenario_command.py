"""``inowatch scenario``: run scenarios without a test runner, with a difference one can read.

Every line says in words what its colour says, and there is colour on a terminal only.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from streams.scenario.check import difference, run
from streams.scenario.file import read_scenario
from streams.scenario.pairing import Verdict, paired
from streams.scenario.timeline import InvalidScenario

_COLOURS: dict[Verdict, str] = {"unlike": "yellow", "missing": "red", "extra": "red"}


class NoScenarios(ValueError):
    """A folder in which there is nothing to run."""


def run_scenarios(paths: Iterable[Path]) -> bool:
    """Run every scenario in these files and folders; returns whether all of them hold.

    Raises ``NoScenarios``.
    """
    files = sorted({file for path in paths for file in _files(path)})
    failed = [path.stem for path in files if not _holds(path)]
    held = f"{len(files) - len(failed)} of {len(files)} scenarios hold"
    click.echo(f"{held}; not {', '.join(failed)}" if failed else held, err=True)
    return not failed


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = list(path.rglob("*.yaml"))
    if not found:
        raise NoScenarios(f"there are no scenarios (*.yaml) in {path} or below it")
    yield from found


def _holds(path: Path) -> bool:
    try:
        scenario = read_scenario(path)
        pairs = paired(scenario, run(scenario))
    except (InvalidScenario, OSError) as wrong:
        _echo("faulty", path.stem, "red")
        for line in str(wrong).splitlines():
            click.echo(f"  {line}")
        return False
    holds = all(pair.verdict == "same" for pair in pairs)
    told = f"{path.stem}: {scenario.scenario}"
    _echo("holds" if holds else "differs", told, None if holds else "red")
    for pair, line in difference(scenario, pairs):
        click.secho(f"  {line}", fg=_COLOURS.get(pair.verdict) if pair else None)
    return holds


def _echo(verdict: str, told: str, colour: str | None) -> None:
    click.echo(click.style(f"{verdict:8}", fg=colour, bold=colour is not None) + told)
