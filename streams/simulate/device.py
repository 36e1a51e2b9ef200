"""A delivery device: spans to samples, with pauses, restarts and duplicates.

Before ``now_ms`` samples come once a minute (cheap history), from then on every ``period_ms``.
Promise: two samples of a span are under 100 s apart unless the gateway is silent, the first
sample of a span stands exactly on its beginning, and arrivals never go back in time.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from schemas.telemetry import Telemetry, Validity
from streams.simulate.arrival import Arrival
from streams.simulate.faults import Faults
from streams.simulate.physics import Analyser, Breathing, Cylinder, Lagging
from streams.simulate.stay import HOUR_MS, Span, Stay

HISTORY_PERIOD_MS = 60_000
_LONGEST_PAUSE_MS = 98_000
_PAUSES_PER_MS = 1 / (7 * HOUR_MS)
_RESTART_SHARE = 0.2
_DUPLICATE_SHARE = 1 / 2000
_NO_LAG_MS = 18_000
_GIVING = ("delivering", "calibrating", "purging", "backup")
_SHORT_SPIKE_PERIOD_MS = 15_000
"""Only at this rate or above is a spike of one sample surely shorter than the rules' hold."""


class Sampling(Struct, frozen=True):
    """The rate: history ends at ``now_ms`` from the first delivery, then ``period_ms`` holds."""

    now_ms: int
    period_ms: int

    def step_ms(self, at_ms: int) -> int:
        """How long after ``at_ms`` the next sample comes."""
        return HISTORY_PERIOD_MS if at_ms < self.now_ms else self.period_ms


def telemetry(
    stay: Stay, device: str, spans: Sequence[Span], sampling: Sampling, rng: Random
) -> Iterator[Arrival]:
    """Sample ``device``: arrivals 40 to 140 ms after each measurement, rarely one twice."""
    machine = _Machine(stay, device, sampling, rng)
    last: datetime | None = None
    again: Arrival | None = None
    for at_ms, span, restarted in _instants(stay, spans, sampling, rng):
        sample = machine.sample(at_ms, span, restarted=restarted)
        at = sample.time + timedelta(microseconds=40_000 + int(100_000 * rng.random()))
        if last is not None and at < last:
            at = last
        if again is not None and again.at <= at:
            yield again
            again = None
        yield Arrival(at, sample)
        last = at
        if rng.random() < _DUPLICATE_SHARE and again is None:
            again = Arrival(at + timedelta(milliseconds=rng.randrange(200, 2_000)), sample)


def _instants(
    stay: Stay, spans: Sequence[Span], sampling: Sampling, rng: Random
) -> Iterator[tuple[int, Span, bool]]:
    """Say when a sample is taken, of which span, and whether the device has just started."""
    silences = [(round(a * HOUR_MS), round(b * HOUR_MS)) for a, b in stay.regimen.silences]
    # A pause would make a spike of one sample last, and part a fault from its first sample.
    steady = stay.regimen.noisy or bool(stay.regimen.faults)
    restarted = True
    for span in spans:
        at_ms = span.begin_ms
        while True:
            for from_ms, to_ms in silences:
                if from_ms <= at_ms < to_ms:
                    at_ms = to_ms
            if at_ms >= span.end_ms:
                break
            yield at_ms, span, restarted
            restarted = False
            step_ms = sampling.step_ms(at_ms)
            if not steady and rng.random() < step_ms * _PAUSES_PER_MS:
                step_ms = rng.randrange(step_ms + 2_000, _LONGEST_PAUSE_MS)
                restarted = rng.random() < _RESTART_SHARE
            at_ms += step_ms


_Readings = tuple[float, float, float, float, float | None]
"""NO and NO2 in ppm, FiO2 and SpO2 in %, supply pressure in bar."""


class _Machine:
    """The state that a device keeps between two samples."""

    def __init__(self, stay: Stay, device: str, sampling: Sampling, rng: Random) -> None:
        self._stay = stay
        self._device = device
        self._now_ms = sampling.now_ms
        self._rng = rng
        self._span: Span | None = None
        self._seq = 0
        self._level = Lagging(0.0, _NO_LAG_MS)
        may_spike = sampling.period_ms <= _SHORT_SPIKE_PERIOD_MS
        self._analyser = Analyser(rng, noisy=stay.regimen.noisy, may_spike=may_spike)
        self._breathing = Breathing(stay.regimen.oxygen)
        self._cylinder = Cylinder(rng) if stay.place.has_cylinder else None
        self._faults = Faults(stay.regimen.faults)
        self._stuck: _Readings | None = None

    def sample(self, at_ms: int, span: Span, *, restarted: bool) -> Telemetry:
        """Make one record; a device that has restarted counts from 0 again."""
        self._seq = 0 if restarted else self._seq + 1
        if span is not self._span:
            self._span = span
            self._level.aim(span.set_ppm if span.mode in _GIVING else 0.0, span.begin_ms)
            self._analyser.drift()
        readings, validity = self._read(at_ms, span)
        no_ppm, no2_ppm, fio2_pct, spo2_pct, cylinder_bar = readings
        stay, is_on = self._stay, span.mode != "off"
        return Telemetry(
            time=stay.begin + timedelta(milliseconds=at_ms),
            device=self._device,
            patient=stay.patient,
            unit=stay.place.unit,
            bed=stay.place.bed,
            mode=span.mode,
            seq=self._seq,
            set_ppm=span.set_ppm if span.mode != "backup" else None,
            no_ppm=no_ppm if is_on else None,
            no2_ppm=no2_ppm if is_on else None,
            fio2_pct=fio2_pct if is_on else None,
            spo2_pct=spo2_pct if is_on else None,
            cylinder_bar=cylinder_bar,
            validity=validity,
            alarms=self._faults.alarms(at_ms),
        )

    def _read(self, at_ms: int, span: Span) -> tuple[_Readings, Validity]:
        """Measure everything; a frozen device goes on showing what it measured first."""
        share = self._faults.value("delivery", at_ms)
        level_ppm = self._level.at(at_ms) * (1.0 if share is None else share)
        no_ppm, no2_ppm, validity = self._gas(at_ms, span, level_ppm)
        fio2_pct, spo2_pct = self._breathing.at(at_ms, self._rng)
        fallen_pct = self._faults.value("spo2", at_ms)
        spo2_pct = spo2_pct if fallen_pct is None else fallen_pct
        readings = (no_ppm, no2_ppm, fio2_pct, spo2_pct, self._supply(at_ms, level_ppm))
        frozen = self._faults.value("frozen", at_ms) is not None
        self._stuck = (self._stuck or readings) if frozen else None
        return self._stuck or readings, validity

    def _gas(self, at_ms: int, span: Span, level_ppm: float) -> tuple[float, float, Validity]:
        """Read NO, NO2 and their validity; while it calibrates a device reads zero."""
        if span.mode == "calibrating":
            return 0.0, 0.0, "calibrating"
        no_ppm, validity = self._analyser.read(level_ppm, live=at_ms >= self._now_ms)
        no2_ppm = self._analyser.no2(level_ppm, self._faults.value("no2", at_ms))
        return no_ppm, no2_ppm, validity

    def _supply(self, at_ms: int, level_ppm: float) -> float | None:
        """Read the pressure, where there is a cylinder."""
        if self._cylinder is None:
            return None
        connected_bar = self._faults.begun("cylinder", at_ms)
        leak_bar_h = self._faults.value("leak", at_ms) or 0.0
        watched = self._faults.value("cylinder", at_ms) is None
        bar = self._cylinder.at(at_ms, level_ppm, leak_bar_h, watched=watched)
        if connected_bar is None:
            return bar
        self._cylinder.connect(connected_bar)
        return connected_bar
