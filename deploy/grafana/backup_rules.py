"""Two alert rules that Grafana keeps as a second pair of eyes; paging is the pager's.

Grafana sees the store and nothing else, and its alerting on InfluxDB is known to be late and
flaky, so these are a backup. Where it cannot ask (an error, or no answer at all) it alerts.
"""

from grafana_foundation_sdk.builders.alerting import Query, Rule
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from deploy.grafana.flux import KIND, Asked
from deploy.grafana.operations_board import UID as OPERATIONS
from deploy.grafana.queries import backup
from deploy.grafana.queries.health import HEARD_S
from deploy.grafana.site import FOLDER_UID, RULE_GROUP, SOURCE_UID, Site
from deploy.grafana.thresholds import Thresholds

_BACK_S = 30 * 86_400
"""A dead feed, or a page that nobody got, is told for so long; after a day it would seem well."""
_HEARTBEAT = (
    f"One of two. No watchdog has left word in the store for {HEARD_S // 60} min: nobody looks "
    "whether the monitor works, or what it says is not recorded. Or: a device was giving nitric "
    f"oxide when it was last heard, and for {backup.QUIET_S // 60} min nothing at all has been "
    "recorded. Grafana sees only the store: this may be the watchdog, the recorder, Kafka, the "
    "gateway or InfluxDB. Go and look at the devices: their own alarms are what counts."
)
_UNDELIVERED = (
    "Alerts are open of which nobody was told, by the record of pages. Tell the ward by telephone; "
    "then look at the receivers and at the pager."
)


def backup_rules(thresholds: Thresholds, site: Site) -> list[Rule]:
    """Build both."""
    return [
        _rule("no-heartbeat", backup.no_heartbeat(), (_HEARTBEAT, "3"), site),
        _rule("undelivered-pages", backup.undelivered(thresholds), (_UNDELIVERED, "2"), site),
    ]


def _rule(name: str, flux: str, about: tuple[str, str], site: Site) -> Rule:
    """Build one; ``about`` is what it says and which panel of Operations shows the same."""
    says, panel = about
    title = name.replace("-", " ").capitalize()
    store = DataSourceRef(type_val=KIND, uid=SOURCE_UID)
    asked = Query("A").datasource_uid(SOURCE_UID).model(Asked(flux, "A", store))
    asked.relative_time_range(RelativeTimeRange(from_val=_BACK_S, to=0))
    rule = Rule(title).uid(f"inowatch-{name}").folder_uid(FOLDER_UID).rule_group(RULE_GROUP)
    rule.with_query(asked).with_query(_more_than_none()).condition("B").org_id(1)
    # One answer that went wrong is no outage: a minute of it is.
    rule.no_data_state("Alerting").exec_err_state("Alerting").for_val("1m")
    rule.labels({"product": "inowatch", "backup": "true", "priority": "high"})
    return rule.annotations(
        {
            "summary": f"*** HIGH {title}",
            "description": says,
            "runbook_url": f"{site.runbooks_url}/monitor-blind.md",
            # Grafana takes both of these or neither.
            "__dashboardUid__": OPERATIONS,
            "__panelId__": panel,
        }
    )


def _more_than_none() -> Query:
    expression = DataSourceRef(type_val="__expr__", uid="__expr__")
    range_ = RelativeTimeRange(from_val=_BACK_S, to=0)
    return (
        Query("B").datasource_uid("__expr__").model(_Above(expression)).relative_time_range(range_)
    )


class _Threshold(Dataquery):
    """The expression that its single number is above 0."""

    def __init__(self, source: DataSourceRef) -> None:
        self._source = source

    def to_json(self) -> dict[str, object]:
        """Return it as Grafana's expressions read it."""
        return {
            "refId": "B",
            "datasource": self._source,
            "type": "threshold",
            "expression": "A",
            "conditions": [{"evaluator": {"type": "gt", "params": [0]}}],
        }


class _Above(Builder[Dataquery]):
    def __init__(self, source: DataSourceRef) -> None:
        self._source = source

    def build(self) -> Dataquery:
        return _Threshold(self._source)
