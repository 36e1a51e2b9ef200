"""A real InfluxDB behind a proxy that breaks writes: nothing is lost, refused or written amiss."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from alerts.sinks.retry import Backoff
from streams.keeper import Keeper
from streams.stores.influx import LINES_A_REQUEST, InfluxStore
from streams.stores.open import open_store
from streams.stores.port import Point, PointsRefused, StoreUnavailable
from tests.contract.faulty_proxy import Fault, FaultyProxy

if TYPE_CHECKING:
    from tests.contract.conftest import Influx

T = datetime(2026, 11, 20, 10, tzinfo=UTC)
END = T + timedelta(days=2)
QUICK = Backoff(least_s=0.001, most_s=0.01)
LOGIN_PAGE = b"<html>Please log in</html>"


def probes(count: int, **fields: float | str) -> list[Point]:
    """Make points a second apart."""
    return [
        Point("probe", {"bed": "b1"}, {"n": float(n)} | fields, T + timedelta(seconds=n))
        for n in range(count)
    ]


class Site:
    """A bucket that is reached directly and through the proxy."""

    def __init__(self, influxdb: "Influx", bucket: str, proxy: FaultyProxy, home: Path) -> None:
        self.proxy = proxy
        self._influxdb, self._bucket, self._home = influxdb, bucket, home

    def address(self) -> str:
        """Name the store behind the proxy."""
        token = self._home / "token"
        token.write_text(self._influxdb.token)
        token.chmod(0o600)
        host = self.proxy.url.removeprefix("http://")
        return f"influxdb://{host}/{self._influxdb.org}/{self._bucket}?token-file={token}"

    def store(self, timeout_s: float = 30.0) -> InfluxStore:
        """Open the store behind the proxy."""
        return InfluxStore(
            self.proxy.url,
            self._influxdb.org,
            self._bucket,
            self._influxdb.token,
            timeout_s=timeout_s,
        )

    def kept(self) -> list[Point]:
        """Read what InfluxDB has, past the proxy."""
        direct = InfluxStore(
            self._influxdb.url, self._influxdb.org, self._bucket, self._influxdb.token
        )
        with closing(direct) as store:
            return list(store.read("probe", T - timedelta(days=400), END))


@pytest.fixture
def site(influxdb: "Influx", tmp_path: Path) -> Iterator[Site]:
    """Put a proxy in front of an empty bucket."""
    bucket = influxdb.make_bucket()
    with FaultyProxy(influxdb.url) as proxy:
        yield Site(influxdb, bucket, proxy, tmp_path)
    influxdb.delete_bucket(bucket)


def test_the_proxy_is_none_when_nothing_is_broken(site: Site) -> None:
    """Without a fault, writing and reading through it is as without it."""
    with closing(site.store()) as store:
        store.write(probes(9))
        assert list(store.read("probe", T, END)) == probes(9)
    assert site.kept() == probes(9)


@pytest.mark.parametrize(
    ("manner", "is_there"), [("silent", 0), ("late", 9), ("lost", 9), ("half", 9)]
)
def test_an_answer_that_does_not_come(site: Site, manner: str, is_there: int) -> None:
    """It is *unavailable*, also where InfluxDB has all of it; written again, it is there once."""
    site.proxy.faults.append(Fault(manner))  # type: ignore[arg-type] # one of its manners
    with closing(site.store(timeout_s=0.5)) as store:
        with pytest.raises(StoreUnavailable, match="out of reach"):
            store.write(probes(9))
        assert len(site.kept()) == is_there
        store.write(probes(9))
    assert site.kept() == probes(9)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {}, LOGIN_PAGE),
        (202, {}, b""),
        (302, {"Location": "/login"}, b""),
        (400, {}, LOGIN_PAGE),
        (422, {}, b""),
        (429, {}, b"slow down"),
        (500, {}, b'{"code":"internal error","message":"timeout"}'),
        (502, {}, LOGIN_PAGE),
        (503, {"Retry-After": "soon"}, b""),
        (504, {}, b"\xff"),
    ],
)
def test_only_204_is_written(site: Site, status: int, headers: dict[str, str], body: bytes) -> None:
    """Whatever else is said, by whomever, nothing counts as written, and nothing as refused."""
    site.proxy.faults.append(Fault(status=status, headers=headers, body=body))
    with closing(site.store()) as store:
        with pytest.raises(StoreUnavailable, match=str(status)):
            store.write(probes(3))
        assert site.kept() == []
        store.write(probes(3))
    assert site.kept() == probes(3)


def test_every_request_is_compressed_and_bounded(site: Site) -> None:
    """At most 5000 lines a request, gzip, one request under way at a time."""
    points = probes(2 * LINES_A_REQUEST + 1)
    with closing(site.store()) as store:
        store.write(points)
    assert [write.lines for write in site.proxy.writes] == [LINES_A_REQUEST, LINES_A_REQUEST, 1]
    assert {write.encoding for write in site.proxy.writes} == {"gzip"}
    assert site.proxy.most_at_once == 1
    assert site.kept() == points


@pytest.mark.parametrize("bad", [[0], [777], [4999], [0, 2500, 4999]])
def test_a_bad_line_is_found_by_halves(site: Site, bad: list[int]) -> None:
    """Of 5000 lines only the bad ones are refused, each found in two dozen requests."""
    good = probes(5000)
    with closing(site.store()) as store:
        store.write(good[:1])
        site.proxy.writes.clear()
        batch = list(good)
        for number in bad:
            batch[number] = Point("probe", {"bed": "b1"}, {"n": "x"}, good[number].time)
        with pytest.raises(PointsRefused, match="type conflict") as refusal:
            store.write(batch)
    assert [point.time for point in refusal.value.points] == [good[number].time for number in bad]
    refused = {good[number].time for number in bad} - {T}
    assert site.kept() == [point for point in good if point.time not in refused]
    assert len(site.proxy.writes) <= 1 + 2 * 13 * len(bad)


def test_a_batch_of_nothing_but_bad_lines_is_one_request(site: Site) -> None:
    """Where InfluxDB says that it took none of the lines, it is not asked 9999 times."""
    with closing(site.store()) as store:
        store.write(probes(1))
        site.proxy.writes.clear()
        bad = [
            Point("probe", {"bed": f"b{n % 9}"}, {"n": "x"}, p.time)
            for n, p in enumerate(probes(5000))
        ]
        with pytest.raises(PointsRefused, match="type conflict") as refusal:
            store.write(bad)
        assert refusal.value.points == tuple(bad)
        assert len(site.proxy.writes) == 1
    assert site.kept() == probes(1)


def test_what_is_too_old_for_the_bucket_is_one_request(influxdb: "Influx", tmp_path: Path) -> None:
    """A backlog older than the bucket's retention is refused as a whole, the rest is kept."""
    bucket = influxdb.make_bucket(keep_s=3600)
    now = datetime.now(UTC).replace(microsecond=0)
    old = [
        Point("probe", {}, {"n": float(n)}, now - timedelta(days=9, seconds=n)) for n in range(500)
    ]
    new = [Point("probe", {}, {"n": float(n)}, now - timedelta(seconds=n)) for n in range(4)]
    with FaultyProxy(influxdb.url) as proxy:
        site = Site(influxdb, bucket, proxy, tmp_path)
        with closing(site.store()) as store:
            with pytest.raises(PointsRefused, match="retention") as refusal:
                store.write(old)
            assert refusal.value.points == tuple(old)
            assert len(proxy.writes) == 1
            with pytest.raises(PointsRefused, match="retention") as refusal:
                store.write([*old, *new])
            assert refusal.value.points == tuple(old)
            assert len(proxy.writes) < 40
            assert sorted(store.read("probe", now - timedelta(1), END), key=repr) == sorted(
                new, key=repr
            )
    influxdb.delete_bucket(bucket)


def test_what_a_sender_wrote_is_not_taken_for_influxdbs_word(site: Site) -> None:
    """A refusal that quotes a line, which says how many were dropped, costs no other line."""
    own = "failure writing points to database: partial write"
    words = f"{own}: dropped 3 points outside retention policy dropped=3"
    body = msgspec.json.encode({"code": "invalid", "message": f"unable to parse '{words}'"})
    site.proxy.faults += [Fault(status=400, body=body)]
    with closing(site.store()) as store:
        store.write(probes(3))
    assert site.kept() == probes(3)


def patient(site: Site, points: list[Point], backoff: Backoff = QUICK) -> list[tuple[Point, str]]:
    """Keep points as the recorder does."""
    return asyncio.run(Keeper(site.address(), backoff).keep(points))


def test_it_is_tried_until_it_is_there(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Through all that a bad day brings, one after the other, each point is there once."""
    site.proxy.faults += [
        Fault(status=503),
        Fault("lost"),
        Fault(status=429),
        Fault(status=200, body=LOGIN_PAGE),
        Fault("half"),
        Fault(status=422, body=LOGIN_PAGE),
        Fault(status=500),
    ]
    with caplog.at_level(logging.WARNING, logger="inowatch"):
        assert patient(site, probes(50)) == []
    assert site.kept() == probes(50)
    assert len(site.proxy.writes) == 8
    assert caplog.text.count("50 points are not written yet") == 7
    assert "50 points are written, at attempt 8" in caplog.text
    assert site.proxy.most_at_once == 1


def test_a_fault_in_the_middle_of_the_search_changes_nothing(site: Site) -> None:
    """The bad line alone is refused, with its own reason, though the search is broken off twice."""
    batch = probes(64)
    batch[40] = Point("probe", {"bed": "b1"}, {"n": float("nan")}, batch[40].time)
    batch[20] = Point("probe", {"bed": "b1"}, {"n": "x"}, batch[20].time)
    with closing(site.store()) as store:
        store.write(probes(1))
    passing = Fault("answer", 422, body=b'{"code":"invalid","message":"one of them"}')
    site.proxy.faults += [passing, Fault(status=503), passing, passing, Fault("lost")]
    refused = patient(site, batch)
    assert {point.time: why.split()[0] for point, why in refused} == {
        batch[40].time: "n",
        batch[20].time: "failure",
    }
    assert site.kept() == [point for n, point in enumerate(probes(64)) if n not in {20, 40}]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_pause_that_is_asked_for_is_kept(site: Site, status: int, form: str) -> None:
    """The next attempt comes no sooner than Retry-After says, though own pauses are shorter."""
    # A date has whole seconds: when it is read, two ahead is one at the least.
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    asked = {"Retry-After": "1" if form == "seconds" else until}
    site.proxy.faults += [Fault(status=status, headers=asked), Fault(status=status)]
    assert patient(site, probes(3)) == []
    first, second, _ = (write.at_s for write in site.proxy.writes)
    assert second - first >= (1.0 if form == "seconds" else 0.5)
    assert site.kept() == probes(3)


def test_nothing_is_asked_where_there_is_nothing_to_write(site: Site) -> None:
    """A batch that made no points costs no request."""
    assert patient(site, []) == []
    assert site.proxy.writes == []


def test_a_store_that_comes_later_is_found(tmp_path: Path, site: Site) -> None:
    """A Keeper starts without its store, and writes when it is there."""
    folder = tmp_path / "later"
    folder.write_text("no folder yet")

    async def later() -> list[tuple[Point, str]]:
        keeper = Keeper(f"sqlite://{folder}/ward.db", QUICK)
        keeping = asyncio.create_task(keeper.keep(probes(3)))
        await asyncio.sleep(0.05)
        assert not keeping.done()
        folder.unlink()
        return await keeping

    assert asyncio.run(later()) == []
    with closing(open_store(f"sqlite://{folder}/ward.db")) as store:
        assert list(store.read("probe", T, END)) == probes(3)
