"""What a device measures: quantities with lag, an analyser with scatter, a cylinder that empties.

Promise: plain readings stay within 6 % of what is given, noisy ones within 18 %, so that both
keep the analyser's tolerance (20 % and 0.5 ppm). Times are whole milliseconds.
"""

import math
from collections.abc import Sequence
from random import Random

from schemas.telemetry import Validity
from streams.simulate.regimen import Oxygen
from streams.simulate.stay import HOUR_MS

_BODY_LAG_MS = 60_000
_CHANGE_CYLINDER_BAR = 75.0
_BAR_PER_PPM_MS = 0.13 / HOUR_MS
"""2.6 bar an hour at 20 ppm: a cylinder lasts over a day."""
_SPIKE_SHARE = 1 / 300
_LAGS_TO_REST = 12
"""After so many time constants less than a hundred-thousandth of a step is left."""


def fall_bar_h(level_ppm: float) -> float:
    """How fast the pressure falls while ``level_ppm`` is given, in bar an hour."""
    return _BAR_PER_PPM_MS * HOUR_MS * level_ppm


class Lagging:
    """A quantity that runs after its target with a time constant."""

    __slots__ = ("_from", "_lag_ms", "_since_ms", "_target")

    def __init__(self, value: float, lag_ms: int) -> None:
        self._from = self._target = value
        self._since_ms = 0
        self._lag_ms = lag_ms

    def aim(self, target: float, at_ms: int) -> None:
        """Change the target at ``at_ms``."""
        self._from = self.at(at_ms)
        self._since_ms = at_ms
        self._target = target

    def at(self, at_ms: int) -> float:
        """Return the value then; ``at_ms`` is not before the last change."""
        lags = (at_ms - self._since_ms) / self._lag_ms
        if lags > _LAGS_TO_REST:
            return self._target
        return self._target + (self._from - self._target) * math.exp(-lags)


class Analyser:
    """Measured NO: a bias, scatter around it, and what a noisy one adds."""

    def __init__(self, rng: Random, *, noisy: bool, may_spike: bool) -> None:
        self._rng = rng
        self._noisy = noisy
        self._may_spike = may_spike
        self._spiked = False
        self._bias = 1.0

    def drift(self) -> None:
        """Draw the bias anew: at most 3 %."""
        self._bias = 1 + self._rng.uniform(-0.03, 0.03)

    def read(self, level_ppm: float, *, live: bool) -> tuple[float, Validity]:
        """Return a reading and whether it is trusted; a trusted spike lasts one sample."""
        random = self._rng.random
        if not self._noisy:
            share = self._bias + 0.025 * (random() + random() - 1)
            return max(0.0, round(level_ppm * share + 0.04 * (random() - 0.5), 2)), "valid"
        if random() < _SPIKE_SHARE:
            return round(30 + 60 * random(), 2), "invalid"
        self._spiked = live and self._may_spike and not self._spiked and random() < _SPIKE_SHARE
        reading = 26 + 12 * random() if self._spiked else level_ppm * (0.84 + 0.34 * random())
        return round(reading, 2), "valid"

    def no2(self, level_ppm: float, from_ppm: float | None = None) -> float:
        """Return NO2 from ``from_ppm`` on; else it grows with the dose, 0.15 ppm at 20 ppm."""
        least = 0.02 + level_ppm * 0.006 if from_ppm is None else from_ppm
        return round(least + 0.03 * self._rng.random(), 3)


class Cylinder:
    """Supply pressure: falls with what is given, and is changed long before it is low.

    Unless nobody does: see the faults ``cylinder`` and ``leak``.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._bar = rng.uniform(90.0, 150.0)
        self._last_ms = 0

    def connect(self, bar: float) -> None:
        """Put another cylinder in its place."""
        self._bar = bar

    def at(
        self, at_ms: int, level_ppm: float, leak_bar_h: float = 0.0, *, watched: bool = True
    ) -> float:
        """Return the pressure in bar, having given ``level_ppm`` since the last call."""
        passed_ms = max(0, at_ms - self._last_ms)
        self._bar -= (_BAR_PER_PPM_MS * level_ppm + leak_bar_h / HOUR_MS) * passed_ms
        self._last_ms = at_ms
        if watched and self._bar < _CHANGE_CYLINDER_BAR:
            self._bar = self._rng.uniform(140.0, 150.0)
        # Finer than a gauge: a coarse step between two samples would look like a leak.
        return round(self._bar, 3)


class Breathing:
    """The oxygen given and the saturation, as the regimen foresees them."""

    def __init__(self, states: Sequence[Oxygen]) -> None:
        self._ahead = [(round(state.from_h * HOUR_MS), state) for state in reversed(states)]
        self._fio2 = Lagging(states[0].fio2_pct, _BODY_LAG_MS)
        self._spo2 = Lagging(states[0].spo2_pct, _BODY_LAG_MS)

    def at(self, at_ms: int, rng: Random) -> tuple[float, float]:
        """Return FiO2 and SpO2 in percent; ``at_ms`` never goes back."""
        while self._ahead and self._ahead[-1][0] <= at_ms:
            from_ms, state = self._ahead.pop()
            self._fio2.aim(state.fio2_pct, from_ms)
            self._spo2.aim(state.spo2_pct, from_ms)
        fio2_pct = self._fio2.at(at_ms) + 0.6 * (rng.random() - 0.5)
        spo2_pct = self._spo2.at(at_ms) + 2.4 * (rng.random() - 0.5)
        return min(100.0, round(fio2_pct, 1)), float(round(spo2_pct))
