"""``make simulate-report``: 1000 bed-days of correct care and every hazard, judged by the core.

Correct care comes in three scenarios (by the book, with a transport device, with noisy analysers):
a sample a minute for the bulk, one every ten seconds for a tenth of it. Hazards come at a sample
and a tick a second. A table for people, then one JSON object on the last line; exit code 1 when a
page came in correct care, or a hazard was missed or found later than a second after its hold time.
"""

import json
import os
import sys

import click

from tests.simulation.report import FULL, Report, report


def main() -> None:
    """Simulate, judge and print."""
    runs = len(FULL.care) + len(FULL.hazards)
    with click.progressbar(length=runs, label="simulating", file=sys.stderr) as bar:
        made = report(FULL, os.cpu_count() or 1, lambda: bar.update(1))
    sys.exit(say(made))


def say(made: Report) -> int:
    """Print a report; return the exit code."""
    for line in made.table():
        click.echo(line)
    faults = list(made.faults())
    for fault in faults:
        click.echo(fault)
    click.echo(json.dumps(made.figures()))
    return 1 if faults else 0


if __name__ == "__main__":
    main()
