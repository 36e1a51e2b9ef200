"""The recorder against its bound: the same points as bare requests into the same InfluxDB.

The recorder reads a backlog from a real Kafka, as it does when a store that was away is back; the
other side posts the lines that the recorder makes of it, made beforehand: gzip, 5000 a request, one
connection. Both take turns, each into an empty bucket.
"""

import gzip
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import urllib3
from kafka import KafkaProducer
from msgspec import Struct

from deploy.influxdb.server import InfluxServer
from deploy.kafka.broker import Broker
from schemas.encode import encode
from schemas.telemetry import Telemetry
from streams.simulate.ward import ward
from streams.stores.fitness import fitted
from streams.stores.influx import GZIP_LEVEL, LINES_A_REQUEST
from streams.stores.line_protocol import line_of
from streams.stores.points import points_of
from tests.bench.contest import site_on
from tests.contract.conftest import Influx
from tests.e2e.product import Product

PARTITIONS = 4
LIMIT_S = 300.0
_LOOK_S = 0.1
_WRITTEN = 204
_OK_POINTS = re.compile(r"^storage_writer_ok_points_sum\{.*\} (\S+)$", re.MULTILINE)


class Size(Struct, frozen=True):
    """Beds, hours of a sample a second, rounds."""

    beds: int
    hours: float
    rounds: int


FULL = Size(24, 3.0, 3)
QUICK = Size(6, 2.3, 1)


def recorder_figures(size: Size) -> dict[str, float]:
    """Measure both, the best of the rounds."""
    end = datetime.now(UTC)
    start = end - timedelta(hours=size.hours)
    arrivals = ward(size.beds, "correct-care", 1, start, start, end, period_s=1.0)
    samples = [one.record for one in arrivals if isinstance(one.record, Telemetry)]
    lines = [line_of(fitted(point)) for one in samples for point in points_of(one)]
    raw, recorder = 0.0, 0.0
    with Broker() as kafka, InfluxServer() as server:
        influxdb = Influx(server.url, server.org, server.token)
        for round_ in range(size.rounds):
            posted = len(lines) / _posted_s(influxdb, lines)
            recorded = _recorded_per_s(influxdb, kafka.bootstrap, samples)
            print(f"recorder, round {round_ + 1}: {recorded:,.0f} of {posted:,.0f} points/s")
            raw, recorder = max(raw, posted), max(recorder, recorded)
    return {"recorder_points_per_s": round(recorder), "raw_post_points_per_s": round(raw)}


def _fill(site: Product, samples: list[Telemetry]) -> None:
    producer = KafkaProducer(**site.settings.kafka.client(), acks="all", linger_ms=20)
    for sample in samples:
        producer.send(site.topics.telemetry, key=sample.patient.encode(), value=encode(sample))
    producer.close()


def _posted_s(influxdb: Influx, lines: list[bytes]) -> float:
    """How long the bare requests took."""
    bucket = influxdb.make_bucket()
    url = f"{influxdb.url}/api/v2/write?org={influxdb.org}&bucket={bucket}&precision=ns"
    headers = {"Authorization": f"Token {influxdb.token}", "Content-Encoding": "gzip"}
    with urllib3.PoolManager(retries=False) as pool:
        begin = time.perf_counter()
        for at in range(0, len(lines), LINES_A_REQUEST):
            body = gzip.compress(b"\n".join(lines[at : at + LINES_A_REQUEST]), GZIP_LEVEL)
            answer = pool.request("POST", url, body=body, headers=headers)
            if answer.status != _WRITTEN:
                raise RuntimeError(f"InfluxDB answered {answer.status}: {answer.data!r}")
        took_s = time.perf_counter() - begin
    influxdb.delete_bucket(bucket)
    return took_s


def _recorded_per_s(influxdb: Influx, kafka: str, samples: list[Telemetry]) -> float:
    """Points a second from when the first ones were there, so without the worker's start."""
    bucket = influxdb.make_bucket()
    with TemporaryDirectory() as home, urllib3.PoolManager(retries=False) as pool:
        token = Path(home, "token")
        token.write_text(influxdb.token)
        token.chmod(0o600)
        extra = {
            "INOWATCH_STORE": f"{influxdb.address(bucket)}?token-file={token}",
            "INOWATCH_PARTITIONS": str(PARTITIONS),
        }
        with site_on(kafka, extra) as site:
            _fill(site, samples)
            before = _written(pool, influxdb.url)
            site.start("recorder")
            begin = first = now = 0.0
            deadline = time.monotonic() + LIMIT_S
            while now < len(samples):
                if time.monotonic() > deadline:
                    log = site.log_of("recorder")
                    raise RuntimeError(f"{now} points after {LIMIT_S} s\n{log[-2000:]}")
                time.sleep(_LOOK_S)
                now = _written(pool, influxdb.url) - before
                if now and not first:
                    begin, first = time.perf_counter(), now
            took_s = time.perf_counter() - begin
    influxdb.delete_bucket(bucket)
    return (now - first) / took_s


def _written(pool: urllib3.PoolManager, url: str) -> float:
    """How many points InfluxDB has taken since its start, by its own count."""
    told = pool.request("GET", f"{url}/metrics").data.decode()
    return sum(float(found) for found in _OK_POINTS.findall(told))
