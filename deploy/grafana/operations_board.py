"""The product itself, for whoever keeps it running: is it fed, does it tell, what does it refuse.

The store sees what arrives in it and when. What only an onlooker sees (how far behind each role is,
the age of the clock, which receiver takes nothing) the watchdog leaves there as its health records;
what it finds wrong (``monitor-blind``) stands here as it said it.
"""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from deploy.grafana.board import Frame, board
from deploy.grafana.flux import Mark
from deploy.grafana.panels import About, Steps, above, chart, coloured, linked, stat, table
from deploy.grafana.queries import health, marks, operations, telling, ward
from deploy.grafana.site import Site
from deploy.grafana.thresholds import Thresholds
from deploy.grafana.words import CYAN, RED, YELLOW, counts, nothing
from schemas.health import EVERY_S

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
_TAKES = {"sink": "Receiver", "state": "State", "failing_s": "For", "reason": "Why"}


def operations_board(thresholds: Thresholds, site: Site) -> Dashboard:
    """Build it."""
    made = board(_FRAME, thresholds, site)
    blind = marks.alerts('r.rule == "monitor-blind"')
    made.annotation(Mark("Monitor blind", blind, RED, regions=True))
    for about, flux, steps in _figures(thresholds):
        mappings = [nothing()] if about.unit == "s" else counts()
        made.with_panel(stat(about, flux, mappings, steps))
    for about, flux, name, steps in _seen_from_outside(thresholds):
        # No window without a record of the watchdog, unless there was none.
        made.with_panel(
            chart(about, flux, {}, steps).display_name(name).interval(f"{2 * EVERY_S}s")
        )
    for about, flux, name in _charts():
        made.with_panel(chart(about, flux, {}).display_name(name))
    return made.with_panel(_found()).with_panel(_receivers(thresholds)).with_panel(_ages())


def _found() -> Table:
    found = About(
        title="What the watchdog found",
        says="The last word of each occurrence, newest first: lag, clock, workers, receivers.",
        unit="string",
        width=12,
        height=8,
        rules=_BLIND,
        back="30d",
    )
    panel = table(found, {"A": operations.watchdog_said()}, _SAID)
    coloured(panel, "Priority")
    coloured(panel, "Open")
    return panel.override_by_name("Rule", [linked("Runbook", "${runbooks}/${__value.raw}.md")])


def _receivers(thresholds: Thresholds) -> Table:
    about = About(
        title="Receivers",
        says="As the watchdog saw them last. FAILING: nothing got through for more than "
        f"{thresholds.sink_s:g} s.",
        unit="string",
        width=7,
        height=8,
        rules=_BLIND,
    )
    panel = table(about, {"A": health.receivers(thresholds)}, _TAKES)
    coloured(panel, "State")
    return panel.override_by_name("For", [DynamicConfigValue("unit", "s")])


def _ages() -> Table:
    ages = About(
        title="Age of the newest record",
        says="By kind, of those that came within the span.",
        unit="string",
        width=5,
        height=8,
        rules=_BLIND,
    )
    panel = table(ages, {"A": operations.ages()}, {"kind": "Kind", "age_s": "Age"})
    return panel.override_by_name("Age", [DynamicConfigValue("unit", "s")])


def _figures(thresholds: Thresholds) -> list[tuple[About, str, Steps]]:
    def about(title: str, says: str, unit: str, rule: str, back: str | None = None) -> About:
        return About(title=title, says=says, unit=unit, width=4, height=4, rules=(rule,), back=back)

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
            about(
                "Heartbeat",
                f"Since the watchdog's last word; one comes every {EVERY_S} s. From "
                f"{health.HEARD_S} s on nobody watches the monitor.",
                "s",
                "monitor-blind",
                "30d",
            ),
            health.age(),
            ((2.0 * EVERY_S, YELLOW), (float(health.HEARD_S), RED)),
        ),
        (
            about(
                "Age of the clock",
                "Of the newest tick, in the worst partition. Above "
                f"{thresholds.blind_s:g} s what does not happen there is not told.",
                "s",
                "monitor-blind",
            ),
            health.clock_age(),
            ((above(thresholds.blind_s), RED),),
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


def _about(title: str, says: str, unit: str, rule: str) -> About:
    """Two rows of three charts."""
    return About(title=title, says=says, unit=unit, width=8, height=6, rules=(rule,))


def _seen_from_outside(thresholds: Thresholds) -> list[tuple[About, str, str, Steps]]:
    role = "${__field.labels.role}"
    return [
        (
            _about(
                "Lag by role",
                "How old the oldest record is that a role has not dealt with, as the watchdog saw "
                "it. Dashed: the limit. A gap: nobody looked.",
                "s",
                "monitor-blind",
            ),
            health.lag(),
            role,
            ((above(thresholds.blind_s), RED),),
        ),
        (
            _about(
                "Waiting by role",
                "How many records a role has not dealt with. A gap: nobody looked.",
                "short",
                "monitor-blind",
            ),
            health.waiting(),
            role,
            (),
        ),
    ]


def _charts() -> list[tuple[About, str, str]]:
    sink, outcome = "${__field.labels.sink}", "${__field.labels.outcome}"
    return [
        (
            _about(
                "Samples recorded", "By unit; 0 is a gap in the record.", "short", "telemetry-lost"
            ),
            operations.recorded(),
            "${__field.labels.unit}",
        ),
        (
            _about(
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
            _about("Attempts to tell", "By receiver and outcome.", "short", "monitor-blind"),
            telling.attempts(),
            f"{sink} {outcome}",
        ),
        (
            _about(
                "Dead letters by reason",
                "`inowatch dead-letters list` has them, and the way back.",
                "short",
                "data-rejected",
            ),
            operations.refused(),
            "${__field.labels.reason}",
        ),
    ]
