"""The charge nurse's board: one screen for a unit, the worst first. For a wall: ``?kiosk``."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    VariableOption,
)

from deploy.grafana.board import Frame, board
from deploy.grafana.flux import choice
from deploy.grafana.panels import About, Steps, coloured, linked, stat, table, timeline
from deploy.grafana.queries import choices, telling, ward
from deploy.grafana.site import Site
from deploy.grafana.thresholds import Thresholds
from deploy.grafana.words import CYAN, RED, WELL, YELLOW, alarm_words, counts, nothing

UID = "inowatch-ward"
_FRAME = Frame(
    uid=UID,
    title="Ward",
    says="Who is on nitric oxide, what is open, who was not told.",
    back="now-12h",
    refresh="10s",
)
_LONGEST = "30d"
"""How far an alert that is still open may have begun before: longer than any course should run."""
_HIGH = ("set-dose-high", "under-delivery", "abrupt-stop", "rebound-suspected", "no2-high")
_METHB = ("methb-first-due", "methb-first-overdue", "methb-repeat-overdue")
_DAYS = ("course-near-14-days", "course-over-14-days")
_RED_FROM_1, _YELLOW_FROM_1 = ((1.0, RED),), ((1.0, YELLOW),)
_COLUMNS = {
    "bed": "Bed",
    "unit": "Unit",
    "state": "Worst open alert",
    "summary": "What",
    "count": "Open",
    "mode": "Device",
    "set_ppm": "Set",
    "dose": "Dose",
    "no_ppm": "Measured",
    "no2_ppm": "NO2",
    "fio2_pct": "FiO2",
    "spo2_pct": "SpO2",
    "methb_pct": "MetHb",
    "methb_h": "MetHb age",
    "heard": "Heard",
    "age_s": "Data age",
    "rule": "Rule",
    "patient": "Patient",
    "rank": "Rank",
}
_UNITS = {"Set": "ppm", "Measured": "ppm", "NO2": "ppm", "FiO2": "percent", "SpO2": "percent"}
_UNITS |= {"Data age": "s", "MetHb": "percent", "MetHb age": "h"}


def ward_board(thresholds: Thresholds, site: Site) -> Dashboard:
    """Build it."""
    made = board(_FRAME, thresholds, site)
    every = VariableOption(selected=True, text=["All"], value=["$__all"])
    units = choice("unit", "Unit", choices.units()).multi(multi=True)
    made.with_variable(units.include_all(include_all=True).current(every))
    for about, flux, steps in _figures(thresholds):
        mappings = [nothing()] if about.unit == "s" else counts()
        made.with_panel(stat(about, flux, mappings, steps))
    made.with_panel(_beds(thresholds))
    states = About(
        title="12 hours, bed by bed",
        says="What each device did. NO DATA: nothing was recorded in that time.",
        unit="string",
        width=24,
        height=8,
        rules=("telemetry-lost", "abrupt-stop", "backup-delivery"),
    )
    name = "${__field.labels.unit} ${__field.labels.bed}"
    return made.with_panel(timeline(states, ward.modes(), name).interval("5m"))


def _figures(thresholds: Thresholds) -> list[tuple[About, str, Steps]]:
    over, silent = thresholds.dose_ppm, thresholds.silent_s

    def about(
        title: str, says: str, *rules: str, unit: str = "short", back: str | None = None
    ) -> About:
        return About(title=title, says=says, unit=unit, width=3, height=4, rules=rules, back=back)

    return [
        (
            about("On nitric oxide", "Patients that are heard of and given nitric oxide."),
            ward.on_ino(thresholds),
            (),
        ),
        (
            about("*** High, open", "Open occurrences of high priority.", *_HIGH, back=_LONGEST),
            ward.open_alerts("high"),
            _RED_FROM_1,
        ),
        (
            about("Methemoglobin due", "Checks due or overdue.", *_METHB, back=_LONGEST),
            ward.open_of(*_METHB),
            _YELLOW_FROM_1,
        ),
        (
            about(f"Set above {over:g} ppm", "An order may allow it.", "set-dose-high"),
            ward.above_limit(thresholds),
            _YELLOW_FROM_1,
        ),
        (
            about("Near or past 14 days", "Open occurrences.", *_DAYS, back=_LONGEST),
            ward.open_of(*_DAYS),
            ((1.0, CYAN),),
        ),
        (
            about(
                "Silent devices",
                f"Gave nitric oxide when last heard, {silent:g} s ago or more.",
                "telemetry-lost",
            ),
            ward.silent(thresholds),
            _RED_FROM_1,
        ),
        (
            about(
                "Reached nobody",
                f"Of the whole site: open, and nobody told for {thresholds.page_s:g} s.",
                "monitor-blind",
                back=_LONGEST,
            ),
            telling.undelivered(thresholds),
            _RED_FROM_1,
        ),
        (
            about(
                "Age of the data",
                "Since the newest sample of all. Old data is no data: go and look.",
                "monitor-blind",
                unit="s",
            ),
            ward.data_age(),
            ((silent / 4, YELLOW), (silent, RED)),
        ),
    ]


def _beds(thresholds: Thresholds) -> Table:
    about = About(
        title="Beds, the worst first",
        says="One row a patient, by its newest sample and what is open. A rule's name leads to its "
        "runbook, a bed to its patient. NO DATA: the sample did not say it.",
        unit="string",
        width=24,
        height=12,
        rules=("set-dose-high", "abrupt-stop", "methb-first-overdue", "course-over-14-days"),
        back=_LONGEST,
    )
    asked = {"A": ward.beds(thresholds), "B": ward.worst_alerts(), "C": ward.methb()}
    words = alarm_words(thresholds.dose_ppm, thresholds.dose_high_ppm)
    panel = table(about, asked, _COLUMNS, hidden=("patient", "rank"), mappings=words)
    join = DataTransformerConfig(
        id_val="joinByField", options={"byField": "patient", "mode": "outer"}
    )
    worst = DataTransformerConfig(
        id_val="sortBy", options={"fields": {}, "sort": [{"field": "Rank", "desc": False}]}
    )
    organize = panel.build().transformations or []
    panel.transformations([join, *organize, worst])
    for column, unit in _UNITS.items():
        panel.override_by_name(column, [DynamicConfigValue("unit", unit)])
    none_open = [nothing("none open", WELL), *words]
    coloured(panel, "Worst open alert", DynamicConfigValue("mappings", none_open))
    for column in ("What", "Open", "Rule"):
        panel.override_by_name(column, [DynamicConfigValue("mappings", [nothing("none", WELL)])])
    for column in ("Bed", "Unit"):
        # An alert without a bed: of the whole site, or of one that has long been silent.
        panel.override_by_name(column, [DynamicConfigValue("mappings", [nothing("none heard")])])
    for column in ("Dose", "Heard"):
        coloured(panel, column)
    patient = "/d/inowatch-patient?var-patient=${__data.fields.Patient}"
    panel.override_by_name("Bed", [linked("This patient", patient)])
    panel.override_by_name("Rule", [linked("Runbook", "${runbooks}/${__value.raw}.md")])
    return panel
