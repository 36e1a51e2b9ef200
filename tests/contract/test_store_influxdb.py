"""What only InfluxDB can do to us: be away, be full, be wrong about us, keep for a while only."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.free_port import free_port
from deploy.influxdb.server import InfluxServer
from streams.stores.influx import LINES_A_REQUEST, InfluxStore
from streams.stores.port import Point, PointsRefused, Store, StoreUnavailable

if TYPE_CHECKING:
    from tests.contract.conftest import Influx

T = datetime(2026, 11, 20, 10, tzinfo=UTC)
END = T + timedelta(days=2)
POINTS = [
    Point("probe", {"bed": "b1"}, {"n": float(n)}, T + timedelta(seconds=n)) for n in range(9)
]


def everything(store: Store) -> list[Point]:
    """Read all that these tests write."""
    return list(store.read("probe", T - timedelta(days=9), END))


def test_down_and_up_again(influxd: Path) -> None:
    """Killed, it has lost nothing that it confirmed; up again, the same write succeeds."""
    with (
        InfluxServer(program=influxd) as server,
        closing(InfluxStore(server.url, server.org, server.bucket, server.token)) as store,
    ):
        store.write(POINTS[:5])
        server.kill()
        with pytest.raises(StoreUnavailable, match="out of reach"):
            store.write(POINTS)
        with pytest.raises(StoreUnavailable, match="out of reach"):
            everything(store)
        server.start()
        assert everything(store) == POINTS[:5]
        store.write(POINTS)
        server.restart()
        assert everything(store) == POINTS


def test_never_there(tmp_path: Path) -> None:
    """A server that does not listen is a state of the world, not a crash at the start."""
    with closing(InfluxStore(f"http://127.0.0.1:{free_port()}", "o", "b", "t")) as store:
        with pytest.raises(StoreUnavailable, match="out of reach") as down:
            store.write(POINTS)
        assert down.value.retry_after_s is None


@pytest.mark.parametrize(
    ("org", "bucket", "token", "reason"),
    [
        (None, None, "wrong", "does not accept the token"),
        (None, "nowhere", None, "no such place as nowhere.*deploy influxdb"),
        ("nobody", None, None, "nobody"),
    ],
)
def test_a_wrong_setting_is_told(
    influxdb: "Influx", org: str | None, bucket: str | None, token: str | None, reason: str
) -> None:
    """A wrong token, bucket or organization stops the sink with a sentence; no point is refused."""
    place = influxdb.make_bucket()
    store = InfluxStore(influxdb.url, org or influxdb.org, bucket or place, token or influxdb.token)
    with closing(store):
        with pytest.raises(StoreUnavailable, match=reason):
            store.write(POINTS)
        with pytest.raises(StoreUnavailable, match=reason):
            everything(store)
    influxdb.delete_bucket(place)


def test_a_token_that_may_only_read(influxdb: "Influx") -> None:
    """A token without the right to write is told apart from a wrong one, and reads."""
    bucket = influxdb.make_bucket()
    with influxdb.reading_token(bucket) as token:
        store = InfluxStore(influxdb.url, influxdb.org, bucket, token)
        with closing(store):
            with pytest.raises(StoreUnavailable, match="token does not allow"):
                store.write(POINTS)
            assert everything(store) == []
    influxdb.delete_bucket(bucket)


@pytest.mark.parametrize("enough_values", [1, 20, 100_000])
@pytest.mark.parametrize("enough_rows", [1, 5, 1000])
def test_a_reading_is_whole_however_it_is_cut(
    influxdb: "Influx", enough_rows: int, enough_values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading is made of many questions, longer or shorter as there is less or more to tell."""
    monkeypatch.setattr("streams.stores.influx.ENOUGH_ROWS", enough_rows)
    monkeypatch.setattr("streams.stores.influx.ENOUGH_VALUES", enough_values)
    bucket = influxdb.make_bucket()
    with closing(InfluxStore(influxdb.url, influxdb.org, bucket, influxdb.token)) as store:
        minutes = [*range(0, 300, 7), *range(5000, 5100), 9_000, 20_000]
        points = [Point("probe", {}, {"n": n}, T - timedelta(minutes=n)) for n in minutes]
        store.write(points)
        assert list(store.read("probe", T - timedelta(days=99), END)) == points[::-1]
    influxdb.delete_bucket(bucket)


def test_what_the_bucket_would_not_keep_is_refused(influxdb: "Influx") -> None:
    """A point older than the bucket's retention is handed back, not dropped in silence."""
    bucket = influxdb.make_bucket(keep_s=3600)
    with closing(InfluxStore(influxdb.url, influxdb.org, bucket, influxdb.token)) as store:
        now = datetime.now(UTC).replace(microsecond=7)
        old = [Point("probe", {}, {"n": n}, now - timedelta(hours=9 + n)) for n in range(2)]
        new = [Point("probe", {}, {"n": n}, now - timedelta(seconds=n)) for n in range(3)]
        with pytest.raises(PointsRefused, match="retention") as refusal:
            store.write([new[0], old[0], new[1], old[1], new[2]])
        assert refusal.value.points == tuple(old)
        assert list(store.read("probe", now - timedelta(days=1), now + timedelta(1))) == new[::-1]
    influxdb.delete_bucket(bucket)


class Answering(ThreadingHTTPServer):
    """A proxy that has something of its own to say; ``lines`` are those that it let through."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, most: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answer = (status, headers, body)
        self.most = most
        self.lines: list[bytes] = []
        self.sizes: list[int] = []


class _Answer(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        """Let small requests through; to the others give the answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        lines = gzip.decompress(body).split(b"\n")
        self.server.sizes.append(len(lines))
        through = len(lines) <= self.server.most
        if through:
            self.server.lines += lines
        status, headers, said = (204, {}, b"") if through else self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


@contextmanager
def answering(
    status: int, headers: dict[str, str] | None = None, body: bytes = b"", most: int = 0
) -> Iterator[tuple[Answering, InfluxStore]]:
    """Run such a proxy, and a store behind it."""
    with Answering(status, headers or {}, body, most) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            with closing(InfluxStore(url, "o", "b", "t")) as store:
                yield server, store
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize(
    ("headers", "retry_after_s"),
    [({"Retry-After": "7"}, 7.0), ({}, None), ({"Retry-After": "soon"}, None)],
)
def test_a_pause_that_is_asked_for_is_passed_on(
    status: int, headers: dict[str, str], retry_after_s: float | None
) -> None:
    """Overload is unavailable, with the pause in seconds where the answer names one."""
    with answering(status, headers) as (_, store):
        with pytest.raises(StoreUnavailable, match=str(status)) as busy:
            store.write(POINTS)
        assert busy.value.retry_after_s == retry_after_s


@pytest.mark.parametrize(("ahead_s", "least_s", "most_s"), [(3600, 3500, 3600), (-3600, 0, 0)])
def test_a_pause_may_be_a_date(ahead_s: float, least_s: float, most_s: float) -> None:
    """A date is turned into seconds from now, and one that has passed into none."""
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
    with answering(503, {"Retry-After": until}) as (_, store):
        with pytest.raises(StoreUnavailable) as busy:
            store.write(POINTS)
        assert busy.value.retry_after_s is not None
        assert least_s <= busy.value.retry_after_s <= most_s


def test_too_large_is_halved() -> None:
    """A request that is too large goes in smaller ones, every line in its order."""
    with answering(413, body=b"<html>Request Entity Too Large</html>", most=2) as (server, store):
        store.write(POINTS)
        assert [line.rsplit(b" ")[1] for line in server.lines] == [
            f"n={n}.0".encode() for n in range(9)
        ]


def test_a_single_line_too_large_is_refused() -> None:
    """What cannot be halved is handed back with the reason."""
    with answering(413, most=0) as (_, store):
        with pytest.raises(PointsRefused, match="too large") as refusal:
            store.write(POINTS[:2])
        assert refusal.value.points == tuple(POINTS[:2])


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("body", [b"<html>Bad Request</html>", b"", b"{}", b"\xff"])
def test_a_refusal_that_is_not_influxdbs_refuses_no_point(status: int, body: bytes) -> None:
    """A proxy that is set up wrongly does not turn good points into dead letters."""
    with answering(status, body=body) as (server, store):
        with pytest.raises(StoreUnavailable, match=str(status)):
            store.write(POINTS)
        assert server.sizes == [len(POINTS)]


def test_a_large_batch_goes_in_requests_of_bounded_size() -> None:
    """No request holds more lines than InfluxDB advises, and their order is kept."""
    size = 2 * LINES_A_REQUEST + 1
    points = [Point("probe", {}, {"n": n}, T + timedelta(seconds=n)) for n in range(size)]
    with answering(204, most=LINES_A_REQUEST) as (server, store):
        store.write(points)
        assert server.sizes == [LINES_A_REQUEST, LINES_A_REQUEST, 1]
        assert [int(line.rsplit(b" ", 1)[1]) for line in server.lines] == [
            int(point.time.timestamp()) * 10**9 for point in points
        ]


def test_secrets_stay_out_of_what_is_said(influxdb: "Influx") -> None:
    """Whatever goes wrong, the token is in no message."""
    token = "t0p-s3cret"  # noqa: S105 - no secret: it is what must not be shown
    for url in (influxdb.url, f"http://127.0.0.1:{free_port()}"):
        with closing(InfluxStore(url, influxdb.org, "nowhere", token)) as store:
            with pytest.raises(StoreUnavailable) as failed:
                store.write(POINTS)
            assert token not in repr(failed.value) + repr(failed.value.__cause__)
