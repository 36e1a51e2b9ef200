"""``inowatch simulate``: a ward of devices to Kafka or to a file."""

import os
from datetime import UTC, datetime, timedelta

from schemas.topics import Topics
from streams.clock import FastClock, wall_clock
from streams.kafka_settings import read_access
from streams.simulate.produce import to_file, to_kafka
from streams.simulate.scenarios import SCENARIOS
from streams.simulate.ward import ward

FILE_NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DEFAULT_HOURS = 24.0
"""How much ward time a file holds when nobody says for how long."""


class InvalidSimulation(ValueError):
    """What was asked for cannot be simulated."""


def list_scenarios() -> list[str]:
    """Return a line for each scenario."""
    return [f"{scenario.name:20} {scenario.says}" for scenario in SCENARIOS.values()]


def run_simulation(  # noqa: PLR0913, PLR0917 - the contract's options, one parameter each
    beds: int, scenario: str, seed: int, speed: float, for_s: float | None, out: str | None
) -> int:
    """Simulate; returns the number of records. Raises ``InvalidSimulation``."""
    now = wall_clock().replace(microsecond=0)
    plot = SCENARIOS.get(scenario)
    if plot is None:
        raise InvalidSimulation(f"no scenario {scenario!r}: there are {', '.join(SCENARIOS)}")
    if not speed > 0:
        raise InvalidSimulation(f"speed {speed}: time must run forward")
    if out is not None:
        # A file is the same for the same seed, whenever it is made.
        now = FILE_NOW
    length = timedelta(hours=DEFAULT_HOURS) if for_s is None else timedelta(seconds=for_s * speed)
    arrivals = ward(
        beds,
        scenario,
        seed,
        now - timedelta(hours=plot.history_h),
        now,
        now + length,
        period_s=max(1.0, min(60.0, speed / 2)),
        speed=speed,
    )
    if out is not None:
        return to_file(arrivals, out)
    if not os.environ.get("INOWATCH_KAFKA"):
        raise InvalidSimulation("INOWATCH_KAFKA is not set: name a broker, or a file with --out")
    access, faults = read_access(os.environ)
    if faults:
        raise InvalidSimulation("\n".join(faults))
    topics = Topics(os.environ.get("INOWATCH_PREFIX", "ino"))
    clock = FastClock(now, wall_clock().timestamp(), speed)
    return to_kafka(arrivals, access, topics, clock, now=now)
