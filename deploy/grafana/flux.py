"""Flux as Grafana wants to be asked: a panel's query, a variable's, an annotation's.

The SDK knows no InfluxDB query, so this is one; and its annotations can only ask Grafana's own
store, so these ask InfluxDB. All of them name the board's data source variable, so one board
serves any InfluxDB that is set up.
"""

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
)

from deploy.grafana.site import SOURCE_NAME, SOURCE_UID

KIND = "influxdb"
SOURCE = DataSourceRef(type_val=KIND, uid="${datasource}")


class FluxQuery(Dataquery):
    """One Flux question; ``source`` is the board's variable, or a data source itself."""

    def __init__(self, flux: str, ref_id: str = "A", source: DataSourceRef = SOURCE) -> None:
        self.flux = flux
        self.ref_id = ref_id
        self.source = source

    def to_json(self) -> dict[str, object]:
        """Return the query as InfluxDB's plugin reads it."""
        return {"datasource": self.source, "refId": self.ref_id, "query": self.flux}


class Asked(Builder[Dataquery]):
    """A builder around a question, because panels and rules take builders only."""

    def __init__(self, flux: str, ref_id: str = "A", source: DataSourceRef = SOURCE) -> None:
        self._query = FluxQuery(flux, ref_id, source)

    def build(self) -> Dataquery:
        """Return the question."""
        return self._query


class _FluxMark(AnnotationQuery):
    """An annotation with a Flux question, and which column is what."""

    def __init__(self, name: str, flux: str, colour: str, *, regions: bool) -> None:
        super().__init__(name=name, datasource=SOURCE, icon_color=colour)
        self._flux = flux
        self._columns = {"time": "_time", "text": "text", "tags": "tags"}
        if regions:
            self._columns["timeEnd"] = "timeEnd"

    def to_json(self) -> dict[str, object]:
        mappings = {
            field: {"source": "field", "value": column} for field, column in self._columns.items()
        }
        return super().to_json() | {
            "target": FluxQuery(self._flux, "Anno"),
            "mappings": mappings,
        }


class Mark(Builder[AnnotationQuery]):
    """An annotation of a board: at moments, or with ``regions`` from moment to moment."""

    def __init__(self, name: str, flux: str, colour: str, *, regions: bool = False) -> None:
        self._mark = _FluxMark(name, flux, colour, regions=regions)

    def build(self) -> AnnotationQuery:
        """Return the annotation."""
        return self._mark


def source_variable() -> DatasourceVariable:
    """Let a board choose among the data sources of this kind; ours is the one it opens with."""
    return (
        DatasourceVariable("datasource")
        .label("Data source")
        .type(KIND)
        .current(VariableOption(selected=True, text=SOURCE_NAME, value=SOURCE_UID))
    )


def choice(name: str, label: str, flux: str) -> QueryVariable:
    """Let a board choose among what a question answers, asked anew whenever the span changes."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"refId": name, "query": flux})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
