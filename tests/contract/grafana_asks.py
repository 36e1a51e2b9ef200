"""What Grafana would ask: every question of the build, filled in as Grafana's own plugin does it.

The plugin writes the span, the bucket and the window into the text of a question; the board's page
has written its variables into it before, quoted.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from deploy.grafana.build import Build


class Asked(NamedTuple):
    """One question, by whom it is asked, and how far back it looks when not as its board does."""

    name: str
    flux: str
    back: str | None
    from_rule: bool = False


def every_question(build: Build) -> Iterator[Asked]:
    """Yield each question of panels, annotations, variables and rules."""
    for board in build.boards:
        uid = board["uid"]
        for panel in board["panels"]:
            for target in panel["targets"]:
                name = f"{uid}/{panel['title']}/{target['refId']}"
                yield Asked(name, target["query"], panel.get("timeFrom"))
        for mark in board["annotations"].get("list", []):
            yield Asked(f"{uid}/{mark['name']}/mark", mark["target"]["query"], None)
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield Asked(f"{uid}/{variable['name']}/variable", variable["query"]["query"], None)
    for rule in build.rules:
        yield Asked(rule["title"], rule["data"][0]["model"]["query"], None, from_rule=True)


def filled(
    flux: str, bucket: str, start: datetime, stop: datetime, variables: dict[str, str] | None = None
) -> str:
    """Write the span, the bucket, a window of 5 min and the variables into a question."""
    words: dict[str, Any] = {
        "v.defaultBucket": f'"{bucket}"',
        "v.timeRangeStart": start.isoformat().replace("+00:00", "Z"),
        "v.timeRangeStop": stop.isoformat().replace("+00:00", "Z"),
        "v.windowPeriod": "5m0s",
    }
    for name, value in (variables or {}).items():
        words[f"${{{name}:doublequote}}"] = '"' + value.replace('"', '\\"') + '"'
    for word, value in words.items():
        flux = flux.replace(word, value)
    return flux
