"""The frame of every board: name, span, variables, what may be laid over it, the way to the others.

Boards are read-only in Grafana: what is changed there by hand is put back by the next deploy, so
the place for a change is this package. The profile that gave the limits stands in the description.
"""

from grafana_foundation_sdk.builders.dashboard import (
    ConstantVariable,
    Dashboard,
    DashboardLink,
    TimePicker,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableModel,
)
from msgspec import Struct

from deploy.grafana.flux import source_variable
from deploy.grafana.site import TAG, Site
from deploy.grafana.thresholds import Thresholds

SECONDARY = "Secondary: it never replaces the device's own alarms."
GRID_WIDTH, SCREEN_HEIGHT = 24, 24
"""Grafana's grid: so many units fill a screen of 1080 lines without scrolling, in kiosk mode."""


class Frame(Struct, frozen=True, kw_only=True):
    """What sets one board apart: ``back`` is the span it opens with, ``refresh`` how often."""

    uid: str
    title: str
    says: str
    back: str
    refresh: str


def board(frame: Frame, thresholds: Thresholds, site: Site) -> Dashboard:
    """Begin a board; panels are added in reading order."""
    made = Dashboard(frame.title).uid(frame.uid).tags([TAG]).readonly().timezone("browser")
    made.description(f"{frame.says} {SECONDARY} Limits: profile {thresholds.profile}.")
    made.time(frame.back, "now").refresh(frame.refresh).tooltip(DashboardCursorSync.CROSSHAIR)
    made.timepicker(TimePicker().refresh_intervals(["10s", "30s", "1m", "5m", "15m"]))
    others = DashboardLink("inowatch").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    made.link(others.as_dropdown(as_dropdown=True).keep_time(keep_time=False))
    made.with_variable(source_variable())
    return made.with_variable(_Runbooks(site.runbooks_url))


class _Runbooks(Builder[VariableModel]):
    """Where the runbooks are: a constant that the links use and nobody needs to see."""

    def __init__(self, url: str) -> None:
        self._variable = ConstantVariable("runbooks").value(url).build()
        self._variable.hide = VariableHide.HIDE_VARIABLE

    def build(self) -> VariableModel:
        return self._variable
