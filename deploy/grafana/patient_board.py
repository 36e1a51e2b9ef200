"""One patient, for whoever goes to the bed: now, the course of things, and what was said."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.board import Frame, board
from deploy.grafana.flux import Mark, choice
from deploy.grafana.panels import About, above, chart, coloured, linked, stat, table, timeline
from deploy.grafana.queries import choices, marks, patient
from deploy.grafana.queries.parts import OF_PATIENT
from deploy.grafana.site import Site
from deploy.grafana.thresholds import Thresholds
from deploy.grafana.words import CYAN, LINE, RED, YELLOW, nothing, words

UID = "inowatch-patient"
_FRAME = Frame(
    uid=UID,
    title="Patient",
    says="One patient: readings against their limits, results, alerts.",
    back="now-24h",
    refresh="30s",
)
_SPLIT = r"/^(?<text>.*)\|(?<value>.*)$/"
"""The list says where, the address says who: a pseudonym."""
_COLUMNS = {
    "_time": "When",
    "open": "Open",
    "state": "Priority",
    "rule": "Rule",
    "phase": "Phase",
    "summary": "What",
}


def patient_board(thresholds: Thresholds, site: Site) -> Dashboard:
    """Build it."""
    made = board(_FRAME, thresholds, site)
    made.with_variable(choice("patient", "Patient", choices.patients()).regex(_SPLIT))
    made.annotation(Mark("Alerts", marks.alerts(OF_PATIENT), YELLOW, regions=True))
    made.annotation(Mark("Dose changes", marks.dose_changes(), LINE))
    _now(made, thresholds)
    _trends(made, thresholds)
    said = About(
        title="Alerts",
        says="The last word of each occurrence, open ones first.",
        unit="string",
        width=16,
        height=7,
        rules=("set-dose-high", "methb-first-overdue", "abrupt-stop"),
        back="30d",
    )
    alerts = table(said, {"A": patient.alerts()}, _COLUMNS)
    coloured(alerts, "Priority")
    coloured(alerts, "Open")
    alerts.override_by_name("Rule", [linked("Runbook", "${runbooks}/${__value.raw}.md")])
    made.with_panel(alerts)
    states = About(
        title="Device",
        says="What the device did. NO DATA: nothing was recorded in that time.",
        unit="string",
        width=8,
        height=7,
        rules=("telemetry-lost", "backup-delivery"),
    )
    return made.with_panel(timeline(states, patient.modes(), "device").interval("1m"))


def _now(made: Dashboard, limits: Thresholds) -> None:
    dose = ((above(limits.dose_ppm), YELLOW), (above(limits.dose_high_ppm), RED))
    no2 = ((limits.no2_low_ppm, CYAN), (limits.no2_medium_ppm, YELLOW), (limits.no2_high_ppm, RED))
    figures = [
        ("Device", "Its mode.", "string", "mode", (), "telemetry-lost"),
        ("Set dose", "What is set.", "ppm", "set_ppm", dose, "set-dose-high"),
        ("Measured NO", "By the device.", "ppm", "no_ppm", (), "measured-dose-high"),
        ("NO2", "In the gas.", "ppm", "no2_ppm", no2, "no2-high"),
        ("SpO2", "As the device reports it.", "percent", "spo2_pct", (), "rebound-suspected"),
    ]
    for title, says, unit, reading, steps, rule in figures:
        about = About(title=title, says=says, unit=unit, width=3, height=4, rules=(rule,))
        mappings = words() if unit == "string" else [nothing()]
        made.with_panel(stat(about, patient.now_of(reading, limits), mappings, steps))
    for title, says, unit, flux, steps, rule, back in (
        (
            "Methemoglobin",
            "The value collected last.",
            "percent",
            patient.methb_now(),
            _methb(limits),
            "methb-high",
            "30d",
        ),
        (
            "Since the last check",
            "Since that collection.",
            "h",
            patient.methb_age(),
            (),
            "methb-repeat-overdue",
            "30d",
        ),
        (
            "Age of the data",
            "Since the patient's newest sample.",
            "s",
            patient.age(),
            ((limits.silent_s / 4, YELLOW), (limits.silent_s, RED)),
            "telemetry-lost",
            None,
        ),
    ):
        about = About(
            title=title, says=says, unit=unit, width=3, height=4, rules=(rule,), back=back
        )
        made.with_panel(stat(about, flux, [nothing()], steps))


def _methb(limits: Thresholds) -> tuple[tuple[float, str], ...]:
    return (
        (limits.methb_low_pct, CYAN),
        (limits.methb_medium_pct, YELLOW),
        (limits.methb_high_pct, RED),
    )


def _trends(made: Dashboard, limits: Thresholds) -> None:
    """Add the charts; a line breaks where the device was silent for as long as counts."""
    dose = ((above(limits.dose_ppm), YELLOW), (above(limits.dose_high_ppm), RED))
    no2 = ((limits.no2_low_ppm, CYAN), (limits.no2_medium_ppm, YELLOW), (limits.no2_high_ppm, RED))
    about = About(
        title="Dose",
        says="Set and measured. Dashed: the limits.",
        unit="ppm",
        width=12,
        height=7,
        rules=("set-dose-high", "measured-dose-high", "under-delivery", "fast-wean"),
    )
    names = {"set_ppm": "set", "no_ppm": "measured"}
    gap_ms = limits.silent_s * 1000
    dose_chart = chart(about, patient.trend("set_ppm", "no_ppm"), names, dose)
    made.with_panel(dose_chart.span_nulls(gap_ms))
    about = About(
        title="Nitrogen dioxide",
        says="In the gas that the patient breathes. Dashed: the limits.",
        unit="ppm",
        width=12,
        height=7,
        rules=("no2-high",),
    )
    no2_chart = chart(about, patient.trend("no2_ppm"), {"no2_ppm": "NO2"}, no2)
    made.with_panel(no2_chart.span_nulls(gap_ms))
    about = About(
        title="Oxygen",
        says=f"Saturation and inspired oxygen. Dashed: {limits.spo2_least_pct:g} %, below which a "
        "rebound is suspected after a step down.",
        unit="percent",
        width=12,
        height=6,
        rules=("rebound-suspected", "no-response-72h"),
    )
    names = {"spo2_pct": "SpO2", "fio2_pct": "FiO2"}
    line = ((limits.spo2_least_pct, LINE),)
    oxygen_chart = chart(about, patient.trend("spo2_pct", "fio2_pct"), names, line)
    made.with_panel(oxygen_chart.span_nulls(gap_ms))
    about = About(
        title="Methemoglobin",
        says="Each result at the time of its collection. Dashed: the limits.",
        unit="percent",
        width=12,
        height=6,
        rules=("methb-high", "methb-first-overdue", "methb-repeat-overdue"),
        back="14d",
    )
    names = {"methemoglobin": "methemoglobin"}
    made.with_panel(chart(about, patient.methb_trend(), names, _methb(limits)))
