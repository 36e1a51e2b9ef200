"""What every board keeps to: the linter's rules that apply to Flux, and the house's own.

The seven of grafana/dashboard-linter that are not about Prometheus or Loki are held here by their
names there; the others look for labels, functions and jobs that a Flux question does not have.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from alerts.profile_book import packaged
from alerts.reference import EVERY_RULE
from deploy.grafana.board import GRID_WIDTH, SCREEN_HEIGHT
from deploy.grafana.build import build
from deploy.grafana.site import Site, Store
from streams.grafana.golden import FOLDER, example, golden
from streams.grafana.settings import thresholds_of
from tests.contract.grafana_asks import every_question

BUILT = example()
BOARDS = {board["uid"]: board for board in BUILT.boards}
PANELS = [(uid, panel) for uid, board in BOARDS.items() for panel in board["panels"]]
QUESTIONS = list(every_question(BUILT))
ALARMING = {"#e02f44", "#f2cc0c", "#33b5e5"}
IDENTIFYING = ("born", "gestational_age", "by", "device", "payer", "record", "raw", "detail")
RULES = {rule.name for rule in EVERY_RULE}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
each_panel = pytest.mark.parametrize(
    "panel", [panel for _, panel in PANELS], ids=[f"{uid}-{panel['id']}" for uid, panel in PANELS]
)
each_question = pytest.mark.parametrize(
    "flux", [one.flux for one in QUESTIONS], ids=[one.name for one in QUESTIONS]
)


def mappings(thing: object) -> Iterator[dict[str, Any]]:
    """Yield every value mapping anywhere inside."""
    if isinstance(thing, dict):
        if thing.get("type") in {"value", "special", "range", "regex"} and "options" in thing:
            yield thing
        for inner in thing.values():
            yield from mappings(inner)
    elif isinstance(thing, list):
        for inner in thing:
            yield from mappings(inner)


def test_golden_files_are_up_to_date() -> None:
    """``make boards`` was run after the last change, and nothing else lies beside them."""
    kept = {
        str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*")
        if path.is_file()
    }
    assert kept == golden()


def test_the_same_build_gives_the_same_bytes() -> None:
    """Nothing of a clock or of chance is in it."""
    assert golden() == golden()


def test_four_boards_with_fixed_names() -> None:
    """Links and bookmarks go by these."""
    assert list(BOARDS) == [
        "inowatch-ward",
        "inowatch-patient",
        "inowatch-quality",
        "inowatch-operations",
    ]
    assert all(re.fullmatch(r"[a-z-]{8,40}", uid) for uid in BOARDS)


@each_board
def test_the_sdk_reads_what_it_wrote(board: dict[str, Any]) -> None:
    """The models of Grafana 11.6 take each board."""
    assert Dashboard.from_json(board).uid == board["uid"]


@each_board
def test_template_datasource_rule(board: dict[str, Any]) -> None:
    """The linter's: a board can be pointed at another InfluxDB."""
    first = board["templating"]["list"][0]
    assert (first["name"], first["label"], first["type"]) == (
        "datasource",
        "Data source",
        "datasource",
    )


@each_board
def test_uneditable_dashboard_rule(board: dict[str, Any]) -> None:
    """The linter's: nobody edits in Grafana what the next deploy puts back."""
    assert board["editable"] is False


@each_board
def test_template_on_time_change_reload_rule(board: dict[str, Any]) -> None:
    """The linter's: what a variable offers belongs to the span that is shown."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            assert variable["refresh"] == 2


@each_panel
def test_panel_datasource_rule(panel: dict[str, Any]) -> None:
    """The linter's: each panel and question asks the board's data source."""
    wanted = {"type": "influxdb", "uid": "${datasource}"}
    assert panel["datasource"] == wanted
    assert all(target["datasource"] == wanted for target in panel["targets"])


@each_panel
def test_panel_title_description_rule(panel: dict[str, Any]) -> None:
    """The linter's: a panel says what it is."""
    assert panel["title"]
    assert panel["description"]


@each_panel
def test_panel_units_rule(panel: dict[str, Any]) -> None:
    """The linter's: a panel names its unit."""
    units = {"ppm", "percent", "percentunit", "s", "h", "short", "string"}
    assert panel["fieldConfig"]["defaults"]["unit"] in units


@each_panel
def test_panel_no_targets_rule(panel: dict[str, Any]) -> None:
    """The linter's: a panel asks something, each question under a name of its own."""
    names = [target["refId"] for target in panel["targets"]]
    assert names
    assert len(set(names)) == len(names)


@each_board
def test_one_screen(board: dict[str, Any]) -> None:
    """Nobody scrolls on a wall: all of a board is on its screen, and no panel on another."""
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        taken |= cells
    assert max(x for x, _ in taken) < GRID_WIDTH
    assert max(y for _, y in taken) < SCREEN_HEIGHT


@each_panel
def test_no_data_is_said(panel: dict[str, Any]) -> None:
    """What is not known is neither empty nor a colour that means well."""
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"] == "NO DATA"
    if panel["type"] != "timeseries":
        missing = [one["options"] for one in defaults["mappings"] if one["type"] == "special"]
        assert [(one["match"], one["result"]["text"]) for one in missing] == [
            ("null+nan", "NO DATA")
        ]
    else:
        # A line goes on over what is shorter than a silence, in ms, and over nothing else.
        silent_ms = thresholds_of(packaged().named("default")).silent_s * 1000
        assert defaults["custom"]["spanNulls"] in {False, silent_ms}


@each_panel
def test_colour_is_never_alone(panel: dict[str, Any]) -> None:
    """Each coloured value has its word; what alarms has its stars or its figure."""
    for mapping in mappings(panel["fieldConfig"]):
        options = mapping["options"]
        results = [options["result"]] if "result" in options else list(options.values())
        for result in results:
            assert result.get("text"), result
    if panel["type"] == "stat":
        assert panel["options"]["textMode"] == "value"


@each_panel
def test_alerting_panels_lead_to_runbooks(panel: dict[str, Any]) -> None:
    """Where a limit colours a panel, the way to what to do about it is on the panel."""
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    alarms = any(step["color"] in ALARMING for step in steps)
    links = [link["url"] for link in panel.get("links", [])]
    assert links or not alarms
    for link in links:
        found = re.fullmatch(r"\$\{runbooks\}/([a-z0-9-]+)\.md", link)
        assert found, link
        assert found[1] in RULES


@each_question
def test_a_question_has_a_span_and_a_bucket(flux: str) -> None:
    """Each ``from`` reads the bucket and the span that Grafana fills in."""
    sources = flux.count("from(bucket:")
    assert sources >= 1
    assert flux.count("from(bucket: v.defaultBucket)\n  |> range(start: ") == sources
    assert flux.count("stop: v.timeRangeStop)") == sources
    assert "v.timeRangeStart" in flux or "date.sub(from: v.timeRangeStop" in flux


@each_question
def test_a_question_asks_for_nothing_that_identifies(flux: str) -> None:
    """No birth, age, staff, payer, raw record or words of a refused record is read."""
    for name in IDENTIFYING:
        assert f'r._field == "{name}"' not in flux
        assert not re.search(rf"\br\.{name}\b", flux)


def test_limits_are_those_of_the_profile() -> None:
    """A site's own profile colours its boards, down to the words in them."""
    limits = packaged().named("default")
    own = thresholds_of(limits)
    site = Site(store=Store(url="http://i", org="o", bucket="b"), runbooks_url="http://r")
    text = json.dumps(build(type(own)(**{**own_numbers(own), "dose_ppm": 17.5}), site).boards)
    assert "Set above 17.5 ppm" in text
    assert "r.set_ppm > 17.5" in text
    assert "ABOVE 17.5" in text
    assert "r.set_ppm > 20.0" not in text


def own_numbers(thresholds: Any) -> dict[str, Any]:
    """Return the fields of thresholds by name."""
    return {name: getattr(thresholds, name) for name in thresholds.__struct_fields__}


def test_a_strict_limit_is_not_coloured_at_its_very_number() -> None:
    """Exactly 20 ppm is in order; Grafana colours from the step's own value on."""
    (dose,) = [p for p in BOARDS["inowatch-patient"]["panels"] if p["title"] == "Set dose"]
    steps = [step["value"] for step in dose["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert steps[0] is None
    assert 20.0 < steps[1] < 20.0001


def test_backup_rules_alert_where_they_cannot_ask() -> None:
    """No answer and an error are alarms, not silence."""
    assert [rule["uid"] for rule in BUILT.rules] == [
        "inowatch-no-heartbeat",
        "inowatch-undelivered-pages",
    ]
    for rule in BUILT.rules:
        assert rule["noDataState"] == rule["execErrState"] == "Alerting"
        assert rule["annotations"]["runbook_url"].endswith("/monitor-blind.md")


def test_backup_rules_lead_to_the_panel_that_shows_the_same() -> None:
    """Grafana names a panel by its number, which is its place on the board."""
    shown = []
    for rule in BUILT.rules:
        board = BOARDS[rule["annotations"]["__dashboardUid__"]]
        number = int(rule["annotations"]["__panelId__"])
        shown += [panel["title"] for panel in board["panels"] if panel["id"] == number]
    assert shown == ["Heartbeat", "Reached nobody"]


def test_files_hold_no_variable_that_grafana_would_fill_in() -> None:
    """Grafana expands ``$``: nothing but the token's file is to be expanded."""
    for name, text in golden().items():
        if name.endswith(".yaml"):
            left = text.replace("$__file{/run/secrets/inowatch_grafana_influxdb}", "")
            assert "$" not in left.replace("$$", "")
            assert yaml.safe_load(text)["apiVersion"] == 1
