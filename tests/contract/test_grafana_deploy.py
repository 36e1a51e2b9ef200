"""``inowatch deploy grafana``: what it sends, judged by Grafana's own description, and twice."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.grafana.push import says
from deploy.secret_files import SecretFolder
from streams.cli import main
from tests.contract.grafana_double import Call, GrafanaDouble
from tests.contract.receiver import contract_file, validating_server

TOKEN = "glsa_canary-of-grafana"  # noqa: S105 - a test's own
STORE_TOKEN = "canary-of-influxdb"  # noqa: S105 - a test's own
BOARDS = ("Ward", "Patient", "Quality", "Operations")
THINGS = [
    "folder inowatch",
    "data source inowatch",
    *(f"board {name}" for name in BOARDS),
    "rule No heartbeat",
    "rule Undelivered pages",
]
Env = dict[str, str]


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Grafana's own description of its API, as a server that refuses what breaks it."""
    work = tmp_path_factory.mktemp("prism")
    described = contract_file("grafana.swagger.json").read_text()
    # Grafana means a duration as Prometheus and Go write it (1m); Prism knows that of ISO only.
    assert described.count('"format": "duration"') >= 1
    pattern = '"pattern": "^([0-9]+(y|w|d|h|ms|m|s))+$"'
    copy = work / "described.json"
    copy.write_text(described.replace('"format": "duration"', pattern))
    (work / "served").mkdir()
    with validating_server(copy, work / "served") as url:
        yield url


@pytest.fixture
def grafana(prism: str) -> Iterator[GrafanaDouble]:
    """Start an empty Grafana."""
    with GrafanaDouble(prism, TOKEN) as double:
        yield double


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """Make a site's settings, without Grafana's address."""
    SecretFolder(tmp_path).write("grafana", TOKEN)
    SecretFolder(tmp_path).write("influxdb", STORE_TOKEN)
    return {
        "INOWATCH_GRAFANA_TOKEN_FILE": str(tmp_path / "grafana"),
        "INOWATCH_GRAFANA_INFLUXDB_URL": "http://influxdb:8086",
        "INOWATCH_GRAFANA_INFLUXDB_ORG": "ward",
        "INOWATCH_GRAFANA_INFLUXDB_BUCKET": "inowatch",
        "INOWATCH_GRAFANA_INFLUXDB_TOKEN_FILE": str(tmp_path / "influxdb"),
        "INOWATCH_RUNBOOKS_URL": "https://runbooks.example",
    }


def deploy(env: Env, *options: str) -> Result:
    """Run the command; whatever it says, it says no token."""
    result = CliRunner().invoke(main, ["deploy", "grafana", *options], env=env)
    assert "canary" not in result.output + repr(result.exception)
    return result


def outcomes(result: Result) -> dict[str, str]:
    """Read what became of each thing."""
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    lines = [line.split(maxsplit=1) for line in result.stderr.splitlines()]
    return {thing: outcome for outcome, thing in lines}


def test_twice_changes_nothing_the_second_time(grafana: GrafanaDouble, env: Env) -> None:
    """The first deploy makes all of it, the second reads and writes nothing."""
    env["INOWATCH_GRAFANA_URL"] = grafana.url
    assert outcomes(deploy(env)) == dict.fromkeys(THINGS, "made")
    kept, written = json.dumps(grafana.kept, sort_keys=True), len(grafana.writes)
    assert outcomes(deploy(env)) == dict.fromkeys(THINGS, "unchanged")
    assert len(grafana.writes) == written
    assert json.dumps(grafana.kept, sort_keys=True) == kept


def test_grafanas_own_description_takes_every_call(grafana: GrafanaDouble, env: Env) -> None:
    """Making, reading and changing each kind of thing is as Grafana's description says."""
    env["INOWATCH_GRAFANA_URL"] = grafana.url
    deploy(env)
    for body in grafana.kept.values():
        changed = body.get("dashboard", body)
        changed["title" if "title" in changed else "url"] = "changed by hand"
    assert outcomes(deploy(env)) == dict.fromkeys(THINGS, "changed")
    assert outcomes(deploy(env)) == dict.fromkeys(THINGS, "unchanged")
    assert grafana.refused == []
    assert {call.token for call in grafana.calls} == {TOKEN}


def test_grafanas_own_description_refuses_a_broken_call(grafana: GrafanaDouble) -> None:
    """The check above can fail: a rule without its folder, an unknown path, a wrong type."""
    rule = {"title": "x", "uid": "x", "ruleGroup": "g", "condition": "A", "data": []}
    for path, body in (
        ("/v1/provisioning/alert-rules", rule),
        ("/no-such-thing", {}),
        ("/folders", {"uid": 5}),
    ):
        status, _ = grafana.answer(Call("POST", path, body, TOKEN), json.dumps(body).encode())
        assert status == 422
    assert len(grafana.refused) == 3


def test_the_store_token_goes_into_the_data_source_only(grafana: GrafanaDouble, env: Env) -> None:
    """It is sent once, as a secret; a new one is noticed though the old cannot be read back."""
    env["INOWATCH_GRAFANA_URL"] = grafana.url
    deploy(env)
    (sent,) = [call for call in grafana.writes if STORE_TOKEN in json.dumps(call.body)]
    assert sent.path == "/datasources"
    assert sent.body["secureJsonData"] == {"token": STORE_TOKEN}
    del sent.body["secureJsonData"]
    assert STORE_TOKEN not in json.dumps(sent.body)
    Path(env["INOWATCH_GRAFANA_INFLUXDB_TOKEN_FILE"]).write_text("another-canary")
    wanted = dict.fromkeys(THINGS, "unchanged") | {"data source inowatch": "changed"}
    assert outcomes(deploy(env)) == wanted


def test_a_board_that_was_moved_comes_back_into_its_folder(
    grafana: GrafanaDouble, env: Env
) -> None:
    """Who may see a board hangs on its folder."""
    env["INOWATCH_GRAFANA_URL"] = grafana.url
    deploy(env)
    grafana.kept["/dashboards/uid/inowatch-ward"]["meta"]["folderUid"] = "elsewhere"
    assert outcomes(deploy(env))["board Ward"] == "changed"
    assert grafana.kept["/dashboards/uid/inowatch-ward"]["meta"]["folderUid"] == "inowatch"


def test_a_newer_grafana_is_no_difference(grafana: GrafanaDouble, env: Env) -> None:
    """It raises the version of a board's form and adds to it: the board is the same."""
    env["INOWATCH_GRAFANA_URL"] = grafana.url
    deploy(env)
    for place, kept in grafana.kept.items():
        if place.startswith("/dashboards"):
            kept["dashboard"]["schemaVersion"] += 1
            kept["dashboard"]["panels"][0]["pluginVersion"] = "12.0.0"
    assert outcomes(deploy(env)) == dict.fromkeys(THINGS, "unchanged")


@pytest.mark.parametrize(
    ("place", "mark", "name"),
    [
        ("/dashboards/uid/inowatch-quality", {"meta": {"provisioned": True}}, "Quality"),
        ("/datasources/uid/inowatch-influxdb", {"readOnly": True}, "inowatch"),
        (
            "/v1/provisioning/alert-rules/inowatch-no-heartbeat",
            {"provenance": "file"},
            "No heartbeat",
        ),
    ],
)
def test_what_came_from_files_is_left_to_the_files(
    grafana: GrafanaDouble, env: Env, place: str, mark: dict[str, object], name: str
) -> None:
    """Never both on one uid: the push names it, and writes nothing at all."""
    env["INOWATCH_GRAFANA_URL"] = grafana.url
    grafana.kept[place] = mark
    result = deploy(env)
    assert result.exit_code == 1
    assert f"{name}: provisioned from files" in result.stderr
    assert grafana.writes == []


def test_a_wrong_token_is_a_sentence(grafana: GrafanaDouble, env: Env) -> None:
    """It says which Grafana does not know the token, and not what the token is."""
    env["INOWATCH_GRAFANA_URL"] = grafana.url
    Path(env["INOWATCH_GRAFANA_TOKEN_FILE"]).write_text("glsa_another-canary")
    result = deploy(env)
    assert result.exit_code == 1
    assert f"Grafana at {grafana.url}" in result.stderr
    assert "does not know the token" in result.stderr


def test_a_grafana_that_is_away_is_a_sentence(grafana: GrafanaDouble, env: Env) -> None:
    """No traceback where nobody listens."""
    env["INOWATCH_GRAFANA_URL"] = "http://127.0.0.1:1"
    result = deploy(env)
    assert result.exit_code == 1
    assert "out of reach" in result.stderr


def test_a_redirect_does_not_take_the_token_along(
    grafana: GrafanaDouble, env: Env, prism: str
) -> None:
    """It is refused with a sentence; nothing is asked at the other address."""
    with GrafanaDouble(prism, TOKEN) as other:
        grafana.sends_to = other.url
        result = deploy(env | {"INOWATCH_GRAFANA_URL": grafana.url})
        assert other.calls == []
    assert result.exit_code == 1
    assert "leads elsewhere" in result.stderr


def test_all_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    """Wrong use names every setting that is needed, each with its meaning."""
    result = deploy({"INOWATCH_GRAFANA_TOKEN_FILE": str(tmp_path / "none")})
    assert result.exit_code == 2
    for name in ("URL", "INFLUXDB_URL", "INFLUXDB_ORG", "INFLUXDB_BUCKET", "INFLUXDB_TOKEN_FILE"):
        assert f"INOWATCH_GRAFANA_{name}: " in result.stderr
    assert "INOWATCH_RUNBOOKS_URL: " in result.stderr
    assert "none: no such file" in result.stderr


@pytest.mark.parametrize("url", ["http://grafana.example", "https://a:canary@grafana.example"])
def test_a_token_leaves_by_https_only(env: Env, url: str) -> None:
    """Neither in the clear nor beside a password in an address."""
    result = deploy(env | {"INOWATCH_GRAFANA_URL": url})
    assert result.exit_code == 2
    assert "INOWATCH_GRAFANA_URL: " in result.stderr


def test_files_are_written_without_any_secret(env: Env, tmp_path: Path) -> None:
    """They need no Grafana and no token, and a second time nothing is written."""
    folder = tmp_path / "provisioning"
    env |= {"INOWATCH_GRAFANA_INFLUXDB_TOKEN_FILE": "/run/secrets/not-here"}
    del env["INOWATCH_GRAFANA_TOKEN_FILE"]
    first = outcomes(deploy(env, "--provisioning", str(folder)))
    assert set(first.values()) == {"written"}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sorted(first) == sorted(str(path.relative_to(folder)) for path in files)
    text = "".join(path.read_text() for path in files)
    assert "$__file{/run/secrets/not-here}" in text
    assert "canary" not in text
    second = outcomes(deploy(env, "--provisioning", str(folder)))
    assert second == dict.fromkeys(first, "unchanged")


def test_what_grafana_adds_is_no_difference() -> None:
    """More keys are nobody's change; another value, a shorter list and a lost key are."""
    wanted = {"a": [{"b": 1}], "c": None}
    assert says({"a": [{"b": 1, "id": 7}], "c": None, "version": 2}, wanted)
    assert not says({"a": [{"b": 2}], "c": None}, wanted)
    assert not says({"a": [], "c": None}, wanted)
    assert not says({"a": [{"b": 1}]}, wanted)
    assert not says(None, wanted)
