"""``inowatch scenario``: run scenarios without a test runner, with a difference one can read."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from streams.scenario.check import differences, run
from streams.scenario.timeline import InvalidScenario, read_scenario


def run_scenarios(paths: Iterable[Path]) -> bool:
    """Run every scenario in these files and folders; returns whether all of them hold."""
    files = sorted(_files(paths))
    failed = sum(not _holds(path) for path in files)
    click.echo(f"{len(files) - failed} of {len(files)} scenarios hold", err=True)
    return failed == 0 and bool(files)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from path.rglob("*.yaml")
        else:
            yield path


def _holds(path: Path) -> bool:
    try:
        scenario = read_scenario(path)
        found = differences(scenario, run(scenario))
    except (InvalidScenario, ValueError) as wrong:
        click.echo(f"{path.stem}: cannot be run: {wrong}")
        return False
    click.echo(f"{'differs' if found else 'holds':8} {path.stem}: {scenario.scenario}")
    for line in found:
        click.echo(f"         {line}")
    if found:
        click.echo("         (- expected and missing, + not expected)")
    return not found
