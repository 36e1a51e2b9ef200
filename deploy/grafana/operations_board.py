"""The product itself, for whoever keeps it running: is it fed, does it tell, what does it refuse.

The store sees what arrives in it and when. The lag of a worker and the age of the clock it does
not see: the watchdog does, and what it finds wrong (``monitor-blind``) stands here as it said it.
"""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from deploy.grafana.board import Frame, board
from deploy.grafana.flux import Mark
from deploy.grafana.panels import About, Steps, chart, coloured, linked, stat, table
from deploy.grafana.queries import marks, operations, telling, ward
from deploy.grafana.site import Site
from deploy.grafana.thresholds import Thresholds
from deploy.grafana.words import CYAN, RED, YELLOW, counts, nothing

UID = "inowatch-operations"
_FRAME = Frame(
    uid=UID,
    title="Operations",
    says="Is it fed, does it tell, what does it refuse; `inowatch status` says it at the console.",
    back="now-6h",
    refresh="30s",
)
_BLIND = ("monitor-blind",)
_SAID = {
    "_time": "When",
    "open": "Open",
    "state": "Priority",
    "rule": "Rule",
    "summary": "What the watchdog found",
}


def operations_board(thresholds: Thresholds, site: Site) -> Dashboard:
    """Build it."""
    made = board(_FRAME, thresholds, site)
    blind = marks.alerts('r.rule == "monitor-blind"')
    made.annotation(Mark("Monitor blind", blind, RED, regions=True))
    for about, flux, steps in _figures(thresholds):
        mappings = [nothing()] if about.unit == "s" else counts()
        made.with_panel(stat(about, flux, mappings, steps))
    for about, flux, name in _charts():
        made.with_panel(chart(about, flux, {}).display_name(name))
    found = About(
        title="What the watchdog found",
        says="The last word of each occurrence, newest first: lag, clock, workers, receivers.",
        unit="string",
        width=16,
        height=7,
        rules=_BLIND,
        back="30d",
    )
    panel = table(found, {"A": operations.watchdog_said()}, _SAID)
    coloured(panel, "Priority")
    coloured(panel, "Open")
    panel.override_by_name("Rule", [linked("Runbook", "${runbooks}/${__value.raw}.md")])
    made.with_panel(panel)
    ages = About(
        title="Age of the newest record",
        says="By kind, of those that came within the span.",
        unit="string",
        width=8,
        height=7,
        rules=_BLIND,
    )
    panel = table(ages, {"A": operations.ages()}, {"kind": "Kind", "age_s": "Age"})
    return made.with_panel(panel.override_by_name("Age", [DynamicConfigValue("unit", "s")]))


def _figures(thresholds: Thresholds) -> list[tuple[About, str, Steps]]:
    def about(title: str, says: str, unit: str, rule: str, back: str | None = None) -> About:
        return About(title=title, says=says, unit=unit, width=6, height=4, rules=(rule,), back=back)

    old = ((thresholds.silent_s / 4, YELLOW), (thresholds.silent_s, RED))
    page_s = f"{thresholds.page_s:g} s"
    return [
        (
            about("Monitor blind", "Open, by the watchdog.", "short", "monitor-blind", "30d"),
            operations.blind(),
            ((1.0, RED),),
        ),
        (
            about(
                "Reached nobody",
                f"Open alerts of which nobody was told for more than {page_s}.",
                "short",
                "monitor-blind",
                "30d",
            ),
            telling.undelivered(thresholds),
            ((1.0, RED),),
        ),
        (
            about("Age of the data", "Since the newest sample of all.", "s", "monitor-blind"),
            ward.data_age(),
            old,
        ),
        (
            about("Dead letters", "Refused in the span.", "short", "data-rejected"),
            operations.refused_count(),
            ((1.0, CYAN),),
        ),
    ]


def _charts() -> list[tuple[About, str, str]]:
    sink, outcome = "${__field.labels.sink}", "${__field.labels.outcome}"

    def about(title: str, says: str, unit: str, rule: str) -> About:
        return About(title=title, says=says, unit=unit, width=12, height=6, rules=(rule,))

    return [
        (
            about(
                "Samples recorded", "By unit; 0 is a gap in the record.", "short", "telemetry-lost"
            ),
            operations.recorded(),
            "${__field.labels.unit}",
        ),
        (
            about(
                "Delay of a page",
                "The longest, from when it was due to when a receiver took it: the lag of monitor, "
                "pager and receiver together.",
                "s",
                "monitor-blind",
            ),
            telling.delays(),
            sink,
        ),
        (
            about("Attempts to tell", "By receiver and outcome.", "short", "monitor-blind"),
            telling.attempts(),
            f"{sink} {outcome}",
        ),
        (
            about(
                "Dead letters by reason",
                "`inowatch dead-letters list` has them, and the way back.",
                "short",
                "data-rejected",
            ),
            operations.refused(),
            "${__field.labels.reason}",
        ),
    ]
