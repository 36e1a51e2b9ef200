"""What happens to InfluxDB: a real one behind a real proxy, for rounds that record into it."""

import time
from contextlib import ExitStack
from pathlib import Path

import urllib3

from deploy.influxdb.server import InfluxServer
from schemas.encode import encode
from schemas.rejected import Rejected
from streams.door import admit
from tests.contract import faulty_proxy
from tests.contract.faulty_proxy import FaultyProxy
from tests.faults.play import Fault, Scene
from tests.faults.timeline import Timeline
from tests.faults.verify import CONFLICT


class _Influx:
    """The servers of one round."""

    server: InfluxServer
    proxy: FaultyProxy

    def setting(self, stack: ExitStack, home: Path, extra: dict[str, str], _log: Timeline) -> None:
        self.server = stack.enter_context(InfluxServer())
        self.proxy = stack.enter_context(FaultyProxy(self.server.url))
        token = home / "token"
        token.write_text(self.server.token)
        token.chmod(0o600)
        host = self.proxy.url.removeprefix("http://")
        place = f"{self.server.org}/{self.server.bucket}"
        extra["INOWATCH_STORE"] = f"influxdb://{host}/{place}?token-file={token}"

    def write(self, line: str) -> None:
        """Write a line past the product."""
        answer = urllib3.PoolManager().request(
            "POST",
            f"{self.server.url}/api/v2/write?org={self.server.org}&bucket={self.server.bucket}",
            body=line.encode(),
            headers={"Authorization": f"Token {self.server.token}"},
        )
        if answer.status != 204:
            raise RuntimeError(answer.data.decode())


def influx_down(seconds: float = 5.0) -> Fault:
    """InfluxDB is killed, and comes back on its data."""
    influx = _Influx()

    def meanwhile(scene: Scene) -> None:
        if scene.reaches(0.3):
            influx.server.kill()
            time.sleep(seconds)
            influx.server.start()

    return Fault(name="influx down", setting=influx.setting, meanwhile=meanwhile)


def influx_says_later() -> Fault:
    """InfluxDB is overloaded: 503, 429 with Retry-After, connections that break."""
    influx = _Influx()

    def meanwhile(scene: Scene) -> None:
        wait = {"Retry-After": "2"}
        if scene.reaches(0.2):
            influx.proxy.faults += [
                faulty_proxy.Fault(status=503),
                faulty_proxy.Fault(status=429, headers=wait),
                faulty_proxy.Fault(status=503, headers=wait),
                faulty_proxy.Fault("lost"),
                faulty_proxy.Fault("half"),
            ]

    return Fault(name="influx says later", setting=influx.setting, meanwhile=meanwhile)


def influx_late() -> Fault:
    """InfluxDB takes a write, and its answer never comes; another is never taken."""
    influx = _Influx()

    def meanwhile(scene: Scene) -> None:
        if scene.reaches(0.2):
            influx.proxy.faults += [faulty_proxy.Fault("late"), faulty_proxy.Fault("silent")]

    return Fault(name="influx late", setting=influx.setting, meanwhile=meanwhile)


def influx_refuses() -> Fault:
    """InfluxDB refuses one line of many for good (422): a field of another kind is there."""
    influx = _Influx()

    def before(scene: Scene) -> None:
        time_ns = int(scene.log.zero.timestamp()) * 10**9
        influx.write(f'course,patient={CONFLICT} oxygenation_index="high" {time_ns}')
        unfit = set()
        for entry in scene.log.live:
            if b"oxygenation_index" in entry.raw:
                event = admit(entry.raw, entry.kind)
                if not isinstance(event, Rejected):
                    unfit |= {entry.raw, encode(event)}
        scene.allowed.refused_by_store = frozenset(unfit)

    return Fault(name="influx refuses a line", setting=influx.setting, before=before)
