"""The quality team's month: charts of statistical process control, how fast people were told."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from deploy.grafana.board import Frame, board
from deploy.grafana.flux import Mark
from deploy.grafana.panels import About, chart, coloured, linked, stat, table
from deploy.grafana.queries import marks, quality
from deploy.grafana.site import Site
from deploy.grafana.thresholds import Thresholds
from deploy.grafana.words import LINE, YELLOW, nothing

UID = "inowatch-quality"
_FRAME = Frame(
    uid=UID,
    title="Quality",
    says="A year, month by month (UTC); the audit command has the cases behind it.",
    back="now-1y/M",
    refresh="",
)
_LIMITS = " Centre: the whole span. Limits: 3 sigma; a month beyond them is more than chance."
_LINES = {"centre": "centre line", "upper": "upper limit", "lower": "lower limit"}
_COLUMNS = {"rule": "Rule", "priority": "Raised as", "times": "Times"}


def quality_board(thresholds: Thresholds, site: Site) -> Dashboard:
    """Build it."""
    made = board(_FRAME, thresholds, site)
    made.annotation(Mark("Limits changed", marks.profile_changes(), LINE))
    share = "Share of the courses of 4 h or more."
    in_time = " A check that was collected in time is none, however late its result came."
    for title, says, rule, unless in (
        ("First methemoglobin check missed", share + in_time, "methb-first-overdue", "late-result"),
        ("Dose above the limit", share, "set-dose-high", None),
        ("Abrupt stops", share, "abrupt-stop", None),
    ):
        about = About(
            title=title, says=says + _LIMITS, unit="percentunit", width=12, height=8, rules=(rule,)
        )
        flux = quality.share_of_courses(rule, unless)
        made.with_panel(chart(about, flux, {"share": "share of courses"} | _LINES))
    about = About(
        title="Alert burden",
        says="Medium and high alerts per patient-day on nitric oxide." + _LIMITS,
        unit="short",
        width=12,
        height=8,
    )
    flux = quality.alerts_per_patient_day()
    made.with_panel(chart(about, flux, {"rate": "alerts per patient-day"} | _LINES))
    by_rule = About(
        title="Raised, by rule",
        says="How often in the span, at the priority that it was raised with.",
        unit="short",
        width=10,
        height=7,
        rules=("set-dose-high", "methb-first-overdue", "abrupt-stop"),
    )
    panel = table(by_rule, {"A": quality.raised_by_rule()}, _COLUMNS)
    coloured(panel, "Raised as")
    panel.override_by_name("Rule", [linked("Runbook", "${runbooks}/${__value.raw}.md")])
    made.with_panel(panel)
    days = About(
        title="Patient-days",
        says="Days on which a patient was given nitric oxide: what the rates are taken of.",
        unit="short",
        width=8,
        height=7,
    )
    bars = chart(days, quality.patient_days(), {"days": "patient-days"})
    bars.override_by_name("patient-days", [DynamicConfigValue("custom.drawStyle", "bars")])
    made.with_panel(bars)
    for part, title in ((0.5, "Half were told within"), (0.95, "95 % were told within")):
        told = About(
            title=title,
            says="From when a page was due to when a receiver took it.",
            unit="s",
            width=3,
            height=7,
            rules=("monitor-blind",),
        )
        slow = ((thresholds.page_s, YELLOW),)
        made.with_panel(stat(told, quality.delay_quantile(part), [nothing()], slow))
    return made
