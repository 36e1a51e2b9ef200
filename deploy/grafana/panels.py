"""The four kinds of panel that boards are made of, with what every panel here must have.

Title, description, unit, data source, an explicit NO DATA, and a link to the runbook of each rule
that it is about.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    VizLegendOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as StateTimeline
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMapping,
)
from msgspec import Struct

from deploy.grafana.flux import SOURCE, Asked
from deploy.grafana.words import NO_DATA, WELL, words

_Panel = TypeVar("_Panel", Stat, StateTimeline, Table, Timeseries)
Steps = Sequence[tuple[float, str]]
"""From which value on, which colour."""
_FRAME = {"result": True, "table": True}
"""What InfluxDB's answers carry beside their columns."""


class About(Struct, frozen=True, kw_only=True):
    """What a panel says of itself. ``rules`` are those whose runbooks it links to.

    ``back`` is how far it looks back where that is further than its board does (``30d``).
    """

    title: str
    says: str
    unit: str
    width: int
    height: int
    rules: tuple[str, ...] = ()
    back: str | None = None


def above(limit: float) -> float:
    """Where a step begins that colours what is *above* a limit: Grafana colours from *at* on."""
    return math.nextafter(limit, math.inf)


def stat(about: About, flux: str, mappings: list[ValueMapping], steps: Steps = ()) -> Stat:
    """Show one value, as number or word, on its colour."""
    panel = _framed(Stat(), about, {"A": flux}, steps).mappings(mappings)
    one = ReduceDataOptions().calcs(["lastNotNull"]).fields("/^_value$/")
    panel.reduce_options(one).color_mode(BigValueColorMode.BACKGROUND)
    return panel.graph_mode(BigValueGraphMode.NONE).text_mode(BigValueTextMode.VALUE)


def chart(about: About, flux: str, names: dict[str, str], steps: Steps = ()) -> Timeseries:
    """Draw lines, with the limits as lines; ``names`` are what the fields are called."""
    panel = _framed(Timeseries(), about, {"A": flux}, steps)
    panel.thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    legend = VizLegendOptions().show_legend(True).placement(LegendPlacement.BOTTOM)
    panel.legend(legend.display_mode(LegendDisplayMode.LIST)).span_nulls(False)
    panel.show_points(VisibilityMode.AUTO).axis_soft_min(0)
    for field, name in names.items():
        panel.override_by_name(field, [DynamicConfigValue("displayName", name)])
    return panel.with_transformation(_organized({}, ("n",)))


def table(
    about: About,
    asked: dict[str, str],
    columns: dict[str, str],
    hidden: Sequence[str] = (),
    mappings: list[ValueMapping] | None = None,
) -> Table:
    """Show rows; ``columns`` are the fields in their order, and what each is called."""
    panel = _framed(Table(), about, asked, ()).mappings(mappings or words())
    panel.with_transformation(_organized(columns, ()))
    for field in hidden:
        panel.override_by_name(columns[field], [DynamicConfigValue("custom.hidden", value=True)])
    return panel


def timeline(about: About, flux: str, name: str) -> StateTimeline:
    """Draw states over time; ``name`` is how a line is called, from its labels."""
    panel = _framed(StateTimeline(), about, {"A": flux}, ()).mappings(words())
    return panel.show_value(VisibilityMode.AUTO).merge_values(merge_values=True).display_name(name)


def coloured(panel: Table, column: str, *more: DynamicConfigValue) -> None:
    """Put the colour of a column's words behind them."""
    cell = DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"})
    panel.override_by_name(column, [cell, *more])


def linked(title: str, url: str) -> DynamicConfigValue:
    """Make a column's values lead somewhere."""
    return DynamicConfigValue("links", [{"title": title, "url": url, "targetBlank": False}])


def _framed(panel: _Panel, about: About, asked: dict[str, str], steps: Steps) -> _Panel:
    panel.title(about.title).description(about.says).unit(about.unit).datasource(SOURCE)
    panel.span(about.width).height(about.height).no_value(NO_DATA)
    for ref_id, flux in asked.items():
        panel.with_target(Asked(flux, ref_id))
    every = [Threshold(None, WELL), *(Threshold(value, colour) for value, colour in steps)]
    panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(every))
    mode = FieldColorModeId.PALETTE_CLASSIC if isinstance(panel, Timeseries) else None
    panel.color_scheme(FieldColor().mode(mode or FieldColorModeId.THRESHOLDS))
    if about.rules:
        panel.links([_runbook(rule) for rule in about.rules])
    if about.back is not None:
        panel.time_from(about.back)
    return panel


def _runbook(rule: str) -> DashboardLink:
    link = DashboardLink(f"Runbook: {rule}").type(DashboardLinkType.LINK)
    return link.url(f"${{runbooks}}/{rule}.md").target_blank(target_blank=True)


def _organized(columns: dict[str, str], left_out: Sequence[str]) -> DataTransformerConfig:
    options = {
        "excludeByName": _FRAME | dict.fromkeys(left_out, True),
        "indexByName": {name: number for number, name in enumerate(columns)},
        "renameByName": dict(columns),
    }
    return DataTransformerConfig(id_val="organize", options=options)
