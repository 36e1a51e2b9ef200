"""`inowatch deploy influxdb` on a real server: once it makes, from then on it only looks."""

import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.free_port import free_port
from deploy.guarded import Guarded
from deploy.influxdb.api import InfluxApi, SetupFailed
from deploy.influxdb.minutes import MEASUREMENT, NUMBERS, TASKS
from deploy.influxdb.server import InfluxServer
from deploy.influxdb.setup import Wanted, set_up
from deploy.influxdb.tokens import TOKENS
from deploy.secret_files import SecretFolder
from schemas.telemetry import Telemetry
from streams.deploy_command import delete_topics
from streams.settings import read_settings
from streams.stores.influx import InfluxStore
from streams.stores.points import points_of
from streams.stores.port import Point, StoreUnavailable

ORG, BUCKET, MINUTES = "ward", "ino", "ino-1m"
RUN_S = 60.0
WRITE, GRAFANA, AUDIT = (token.file for token in TOKENS)


class Site:
    """A server and the folder of its secrets."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.secrets = SecretFolder(folder)

    def wanted(self, **other: Any) -> Wanted:
        """Describe what the command wants by default."""
        plan = {"url": self.url, "org": ORG, "bucket": BUCKET, "keep_d": 400}
        return Wanted(**{**plan, "keep_minutes_d": 3660, **other})

    def deploy(self, *options: str, store: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command as an operator does."""
        address = store or f"{self.url.replace('http', 'influxdb')}/{ORG}/{BUCKET}"
        env = os.environ | {"INOWATCH_STORE": address, "INOWATCH_SECRETS": str(self.folder)}
        command = [sys.executable, "-m", "streams.cli", "deploy", "influxdb", *options]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    def secret(self, name: str) -> str:
        """Read a secret that must be there."""
        secret = self.secrets.read(name)
        assert secret is not None, name
        return secret

    def api(self, name: str = "influxdb-admin-token") -> InfluxApi:
        """Ask the server with one of the tokens."""
        return InfluxApi(self.url, self.secret(name))

    def store(self, name: str, bucket: str = BUCKET) -> InfluxStore:
        """Open the product's own store with one of the tokens."""
        return InfluxStore(self.url, ORG, bucket, self.secret(name))

    def inventory(self) -> dict[str, Any]:
        """List all that the server has, with its ids and times of change, and all files."""
        with self.api() as api:
            kinds = ("orgs", "users", "buckets", "tasks", "authorizations", "labels", "dashboards")
            found = {kind: api.find(kind) for kind in kinds}
        for task in found["tasks"]:
            for moving in ("latestCompleted", "latestScheduled", "lastRunStatus", "updatedAt"):
                task.pop(moving, None)  # the scheduler's, not ours
        files = {path: path.read_bytes() for path in self.folder.iterdir()}
        return {**found, "files": files, "modes": {path: path.stat().st_mode for path in files}}


@pytest.fixture(scope="module")
def fresh(influxd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server as it comes out of its box."""
    with InfluxServer(program=influxd, onboarded=False) as server:
        yield Site(server.url, tmp_path_factory.mktemp("site") / "secrets")


@pytest.fixture(scope="module")
def first(fresh: Site) -> subprocess.CompletedProcess[str]:
    """What the first run said."""
    return fresh.deploy()


@pytest.fixture
def site(fresh: Site, first: subprocess.CompletedProcess[str]) -> Site:
    """The server after it was set up."""
    assert first.returncode == 0, first.stderr
    return fresh


def test_twice_changes_nothing(site: Site, first: subprocess.CompletedProcess[str]) -> None:
    """The second run leaves every object and every file as it is, and says so."""
    assert "made the bucket ino-1m (kept 3660 days)" in first.stderr
    before = site.inventory()
    again = site.deploy()
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "nothing had to be changed\n"
    assert site.inventory() == before


def test_what_is_there_afterwards(site: Site) -> None:
    """Two buckets with their retention, two active tasks, three tokens beside the operator's."""
    with site.api() as api:
        keep = {
            bucket["name"]: bucket["retentionRules"][0]["everySeconds"] / 86_400
            for bucket in api.find("buckets", org=ORG)
            if bucket["type"] == "user"
        }
        tasks = {task["name"]: task["status"] for task in api.find("tasks", org=ORG)}
        named = [found["description"] for found in api.find("authorizations", org=ORG)]
    assert keep == {BUCKET: 400, MINUTES: 3660}
    assert tasks == {task.name: "active" for task in TASKS}
    ours = [token.description for token in TOKENS]
    assert sorted(named) == sorted([*ours, "inowatch's Token"])


def test_secrets_are_files_for_their_owner_only(
    site: Site, first: subprocess.CompletedProcess[str]
) -> None:
    """Each secret is a file of mode 600 in a folder of mode 700, and is printed nowhere."""
    assert site.folder.stat().st_mode & 0o777 == 0o700
    names = {path.name for path in site.folder.iterdir()}
    admin = {"influxdb-admin-password", "influxdb-admin-token"}
    assert names == admin | {token.file for token in TOKENS}
    for name in names:
        assert site.secrets.file(name).stat().st_mode & 0o777 == 0o600
        assert len(site.secret(name)) >= 43
        assert site.secret(name) not in first.stdout + first.stderr


def test_each_token_does_its_one_thing(site: Site) -> None:
    """The write token does not read; those of Grafana and of the audit read and do not write."""
    when = datetime(2026, 11, 20, 10, tzinfo=UTC)
    point = Point("probe", {"bed": "b1"}, {"n": 1.0}, when)
    with closing(site.store(WRITE)) as writer:
        writer.write([point])
        with pytest.raises(StoreUnavailable, match="not"):
            list(writer.read("probe", when, when + timedelta(seconds=1)))
    with closing(site.store(WRITE, MINUTES)) as elsewhere, pytest.raises(StoreUnavailable):
        elsewhere.write([point])
    for name in (GRAFANA, AUDIT):
        with closing(site.store(name)) as reader:
            assert list(reader.read("probe", when, when + timedelta(seconds=1))) == [point]
            with pytest.raises(StoreUnavailable, match="token does not allow"):
                reader.write([point])
        with site.api(name) as api:
            # What Grafana asks to see whether a data source works.
            listed = re.findall(r"_result,\d+,([^,]+)", api.query(ORG, "buckets()"))
            assert sorted(listed) == [BUCKET, MINUTES]
            with pytest.raises(SetupFailed):
                api.post("orgs", {"name": "mine"})


def sample(time_: datetime, seq: int, **numbers: float | None) -> Telemetry:
    """Make a sample of one bed."""
    return Telemetry(
        time=time_,
        device="d1",
        patient="p1",
        unit="west",
        bed="b 1",
        mode="delivering",
        seq=seq,
        set_ppm=20.0,
        **numbers,
    )


def ran(site: Site, name: str, at: datetime | None = None) -> None:
    """Run a task, as of now or of another time, and wait for its end."""
    with site.api() as api:
        (task,) = api.find("tasks", org=ORG, name=name)
        asked = {} if at is None else {"scheduledFor": at.isoformat()}
        begun = api.post(f"tasks/{task['id']}/runs", asked)
        run, until_s = begun, time.monotonic() + RUN_S
        while run["status"] not in {"success", "failed", "canceled"}:
            assert time.monotonic() < until_s, run
            time.sleep(0.1)
            with suppress(SetupFailed):  # for a moment it is neither among those at work nor ended
                run = api.get(f"tasks/{task['id']}/runs/{begun['id']}")
        assert run["status"] == "success", run


def minutes(site: Site, start: datetime, stop: datetime) -> dict[str, dict[datetime, float]]:
    """Read the rows a minute: field to time to value."""
    query = f"""
        from(bucket: "{MINUTES}")
        |> range(start: {start.isoformat()}, stop: {stop.isoformat()})
        |> filter(fn: (r) => r._measurement == "{MEASUREMENT}" and r.patient == "p1")
        |> toFloat() |> group() |> keep(columns: ["_time", "_field", "_value", "device"])
    """
    rows: dict[str, dict[datetime, float]] = {}
    with site.api(GRAFANA) as api:
        header, *lines = [line.split(",") for line in api.query(ORG, query).split()] or [[]]
    for line in lines:
        row = dict(zip(header, line, strict=True))
        assert row["device"] == "d1"
        rows.setdefault(row["_field"], {})[datetime.fromisoformat(row["_time"])] = float(
            row["_value"]
        )
    return rows


def test_the_tasks_make_minutes(site: Site) -> None:
    """Mean, least, most, count of each whole minute; late ones too; again is the same."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    recent = now - timedelta(minutes=30)
    # At three in the afternoon it looks at the day that began six days before.
    afternoon = now.replace(hour=15, minute=0) - timedelta(days=1)
    old = afternoon - timedelta(days=5, hours=12)
    readings = (18.0, 20.0, None, 25.0)

    def kept(minute: datetime) -> None:
        samples = [
            sample(minute + timedelta(seconds=10 * n), n, no_ppm=value, spo2_pct=95.0)
            for n, value in enumerate(readings)
        ]
        samples.append(sample(minute + timedelta(seconds=60), 9, no_ppm=1.0))
        with closing(site.store(WRITE)) as store:
            store.write([point for one in samples for point in points_of(one)])

    kept(recent)
    kept(old)
    kept(now + timedelta(minutes=5))  # not over yet
    ran(site, TASKS[0].name)
    day = timedelta(days=1)
    lately = (now - timedelta(hours=2), now + day)
    rows = minutes(site, *lately)
    next_one = recent + timedelta(minutes=1)
    assert rows == {
        "no_ppm_mean": {recent: 21.0, next_one: 1.0},
        "no_ppm_min": {recent: 18.0, next_one: 1.0},
        "no_ppm_max": {recent: 25.0, next_one: 1.0},
        **{f"set_ppm_{how}": {recent: 20.0, next_one: 20.0} for how in ("mean", "min", "max")},
        **{f"spo2_pct_{how}": {recent: 95.0} for how in ("mean", "min", "max")},
        "samples": {recent: 4.0, next_one: 1.0},
    }
    ran(site, TASKS[0].name)
    assert minutes(site, *lately) == rows
    ran(site, TASKS[1].name, afternoon - timedelta(hours=3))
    assert minutes(site, old - day, old + day) == {}
    ran(site, TASKS[1].name, afternoon)
    late = minutes(site, old - day, old + day)
    assert late["no_ppm_mean"] == {old: 21.0, old + timedelta(minutes=1): 1.0}
    assert minutes(site, *lately) == rows


def test_every_number_has_its_minutes() -> None:
    """No number that a device may send is left out."""
    every = dict.fromkeys(NUMBERS[1:], 1.0)
    (point,) = points_of(sample(datetime(2026, 11, 20, tzinfo=UTC), 1, **every))
    numbers = {name for name, value in point.fields.items() if isinstance(value, float)}
    assert numbers - {"seq"} == set(NUMBERS)


def test_a_lost_file_means_another_token(site: Site) -> None:
    """A token that is gone from its folder is made anew, and the lost one is worth nothing."""
    lost = site.secret(AUDIT)
    site.secrets.file(AUDIT).unlink()
    said = site.deploy()
    assert said.returncode == 0
    assert "its file was lost, and the old one is revoked" in said.stderr
    new = site.secret(AUDIT)
    assert new != lost
    assert new not in said.stderr
    with InfluxApi(site.url, lost) as api, pytest.raises(SetupFailed, match="does not accept"):
        api.get("buckets")
    assert set_up(site.wanted(), site.secrets, None).changes == []


def test_a_file_that_does_not_work_is_replaced(site: Site) -> None:
    """Tokens of another server, or in each other's files, are noticed."""
    site.secrets.write(WRITE, site.secret(GRAFANA))
    site.secrets.write(GRAFANA, "of-another-server")
    done = set_up(site.wanted(), site.secrets, None)
    assert [("does not work" in sentence) for sentence in done.changes] == [True, True]
    assert set_up(site.wanted(), site.secrets, None).changes == []


def test_a_file_that_others_may_read_is_closed(site: Site) -> None:
    """A mode that somebody has widened is put right, and told."""
    site.secrets.file(WRITE).chmod(0o644)
    done = set_up(site.wanted(), site.secrets, None)
    assert done.changes == [f"closed {site.secrets.file(WRITE)} to others"]
    assert site.secrets.file(WRITE).stat().st_mode & 0o777 == 0o600


def test_what_others_decided_is_told_and_left(site: Site) -> None:
    """A retention that differs and a paused task are sentences and exit code 1, not repairs."""
    with site.api() as api:
        (task,) = api.find("tasks", org=ORG, name=TASKS[0].name)
        api.patch(f"tasks/{task['id']}", {"status": "inactive"})
        before = site.inventory()
        said = site.deploy("--keep-days", "30")
        assert said.returncode == 1
        assert "bucket ino keeps its data 400 days and should keep it 30 days" in said.stderr
        assert "task inowatch-minutes was paused" in said.stderr
        assert site.inventory() == before
        api.patch(f"tasks/{task['id']}", {"status": "active"})


def test_a_task_follows_the_version(site: Site) -> None:
    """A task with another text than this version's gets this version's."""
    with site.api() as api:
        (task,) = api.find("tasks", org=ORG, name=TASKS[1].name)
        api.patch(f"tasks/{task['id']}", {"flux": task["flux"].replace("/ 3", "/ 4")})
        done = set_up(site.wanted(), site.secrets, None)
        assert done.changes == ["brought the task inowatch-minutes-late up to this version"]
        assert api.get(f"tasks/{task['id']}")["flux"] == task["flux"]


def test_cut_off_before_the_server_knew(influxd: Path, tmp_path: Path) -> None:
    """Secrets that were written before a run was cut off are those that the next run uses."""
    secrets = SecretFolder(tmp_path / "secrets")
    secrets.write("influxdb-admin-token", "t" * 43)
    secrets.write("influxdb-admin-password", "p" * 43)
    with InfluxServer(program=influxd, onboarded=False) as server:
        site = Site(server.url, secrets.path)
        assert site.deploy().returncode == 0
        assert site.secret("influxdb-admin-token") == "t" * 43
        assert site.inventory()["users"][0]["name"] == "inowatch"


def test_over_tls(influxd: Path, tmp_path: Path) -> None:
    """With compose's certificate and its authority the set-up speaks TLS; else it refuses."""
    script = Path(__file__).parents[2] / "deploy" / "compose" / "make-secrets.sh"
    subprocess.run(["sh", str(script), str(tmp_path)], check=True)
    port = free_port()
    command = [str(influxd), "--http-bind-address", f"127.0.0.1:{port}", "--reporting-disabled"]
    command += ["--bolt-path", "bolt", "--sqlite-path", "sqlite", "--engine-path", "engine"]
    # As compose says it.
    env = os.environ | {
        "INFLUXD_TLS_CERT": str(tmp_path / "influxdb.crt"),
        "INFLUXD_TLS_KEY": str(tmp_path / "influxdb.key"),
    }
    site = Site(f"https://localhost:{port}", tmp_path / "made")
    store = f"influxdb+https://localhost:{port}/{ORG}/{BUCKET}"
    with (tmp_path / "log").open("wb") as log, Guarded(command, env=env, cwd=tmp_path, output=log):
        until_s = time.monotonic() + RUN_S
        said = site.deploy(store=f"{store}?ca-file={tmp_path / 'ca.pem'}")
        while "out of reach" in said.stderr and time.monotonic() < until_s:
            time.sleep(0.2)
            said = site.deploy(store=f"{store}?ca-file={tmp_path / 'ca.pem'}")
        assert said.returncode == 0, said.stderr
        refused = site.deploy(store=store)
        assert refused.returncode == 1
        assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def test_a_server_of_others(influxd: Path, tmp_path: Path) -> None:
    """On a server in use it needs its operator's token, and then makes only what is missing."""
    with InfluxServer(program=influxd) as server:
        site = Site(server.url, tmp_path / "secrets")
        refused = site.deploy()
        assert refused.returncode == 1
        assert "INOWATCH_INFLUXDB_ADMIN_TOKEN_FILE" in refused.stderr
        assert not site.folder.exists()
        file = tmp_path / "operator"
        SecretFolder(tmp_path).write("operator", server.token)
        address = f"{site.url.replace('http', 'influxdb')}/other/{BUCKET}"
        said = site.deploy("--admin-token-file", str(file), store=address)
        assert (said.returncode, server.token in said.stderr) == (0, False)
        assert "made the organization other" in said.stderr
        assert {path.name for path in site.folder.iterdir()} == {WRITE, GRAFANA, AUDIT}
        file.write_text("wrong")
        wrong = site.deploy("--admin-token-file", str(file), store=address)
        assert wrong.returncode == 1
        assert "does not accept the token" in wrong.stderr


def test_what_is_no_secret_is_shown_to_nobody(site: Site, tmp_path: Path) -> None:
    """A file that holds more than a token, or no text, is refused without a word of it."""
    file = tmp_path / "operator"
    file.touch(0o600)
    for held in (b"canary-1 canary-2", b"canary\xff\xfe", "canary-\u00e9".encode()):
        file.write_bytes(held)
        refused = site.deploy("--admin-token-file", str(file))
        assert refused.returncode == 1
        assert "must hold one word and nothing else" in refused.stderr
        assert "canary" not in refused.stderr
    file.chmod(0o644)
    assert "chmod 600" in site.deploy("--admin-token-file", str(file)).stderr
    file.chmod(0o600)
    file.write_bytes(b"\n")
    assert "is empty" in site.deploy("--admin-token-file", str(file)).stderr


@pytest.mark.parametrize(("status", "words"), [(200, "is no InfluxDB"), (302, "answered 302")])
def test_something_else_at_the_address(tmp_path: Path, status: int, words: str) -> None:
    """A proxy's page, or its way to a login, is a sentence and no set-up."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", "https://login.example/")
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        site = Site(f"http://127.0.0.1:{server.server_port}", tmp_path / "secrets")
        said = site.deploy()
        server.shutdown()
        thread.join()
    assert (said.returncode, said.stdout) == (1, "")
    assert words in said.stderr
    assert not site.folder.exists()


@pytest.mark.parametrize(
    ("store", "code", "words"),
    [
        ("sqlite:ward.db", 2, "sqlite is no InfluxDB"),
        ("influxdb://host:8086/org", 2, "an influxdb address is"),
        ("influxdb://host:8086/org/a%20b", 2, "letters, digits"),
        ("influxdb://127.0.0.1:{port}/org/ino", 1, "is out of reach"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, store: str, code: int, words: str) -> None:
    """A wrong address is wrong use, a server that is not there a failure; each has its sentence."""
    site = Site("", tmp_path / "secrets")
    said = site.deploy(store=store.format(port=free_port()))
    assert (said.returncode, said.stdout) == (code, "")
    assert words in said.stderr
    assert not site.folder.exists()


def test_all_that_the_settings_name(site: Site, kafka: str) -> None:
    """Without a command Kafka and InfluxDB are set up; the second time nothing is changed."""
    topics = read_settings({"INOWATCH_KAFKA": kafka, "INOWATCH_PREFIX": f"test-{uuid.uuid4().hex}"})
    env = os.environ | {
        "INOWATCH_KAFKA": kafka,
        "INOWATCH_PREFIX": topics.prefix,
        "INOWATCH_STORE": f"{site.url.replace('http', 'influxdb')}/{ORG}/{BUCKET}",
        "INOWATCH_SECRETS": str(site.folder),
    }
    command = [sys.executable, "-m", "streams.cli", "deploy"]
    try:
        first = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert first.returncode == 0, first.stderr
        assert f"made {topics.prefix}.telemetry" in first.stderr
        again = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert (again.returncode, again.stdout) == (0, "")
        assert again.stderr == "kafka:\ninfluxdb:\nnothing had to be changed\n"
    finally:
        delete_topics(topics)
