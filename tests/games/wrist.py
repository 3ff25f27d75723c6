"""How a wrist moves the mouse: in smooth bursts whose speed varies, towards an angle or on and on, in either axis."""

from __future__ import annotations

import math
import random

FASTEST_DEG = 12.0  # per tic
JERK_DEG = 3.5  # change of speed per tic that a wrist manages
TREMOR = 0.08  # of the speed, standard deviation


class Wrist:
    """One axis of the mouse. Its speed, in degrees a tic, grows with the angle still to go and cannot jump."""

    def __init__(self, source: random.Random, deg_per_px: float) -> None:
        self._random, self._deg_per_px = source, deg_per_px
        self._speed_deg = 0.0
        self._gain, self._slip_deg = 0.3, 0.0
        self._cruise_deg, self._cruise_until_tic = 5.0, 0

    def rest(self) -> None:
        """Stop at once."""
        self._speed_deg = 0.0

    def aim(self, error_deg: float) -> None:
        """Set out for something so far away: how briskly, and perhaps too far."""
        self._gain = self._random.uniform(0.2, 0.42)
        overshoots = abs(error_deg) > 25 and self._random.random() < 0.3
        self._slip_deg = math.copysign(self._random.uniform(3, 8), error_deg) if overshoots else 0.0

    def approach(self, error_deg: float) -> int:
        """Pixels for this tic, towards what is so many degrees away."""
        if self._slip_deg and abs(error_deg + self._slip_deg) < 3:
            self._slip_deg = 0.0
        aimed_deg = error_deg + self._slip_deg
        return self._accelerate(0.0 if abs(aimed_deg) < 0.5 else self._gain * aimed_deg)

    def sweep(self, tic: int, sign: int) -> int:
        """Pixels for this tic, of going on one way: strokes of one speed each, now and then the mouse is set back."""
        if tic >= self._cruise_until_tic:
            lifts = self._cruise_deg > 0 and self._random.random() < 0.3
            self._cruise_deg = 0.0 if lifts else self._random.uniform(2.0, 8.0)
            self._cruise_until_tic = tic + (self._random.randint(3, 7) if lifts else self._random.randint(8, 30))
        return self._accelerate(sign * self._cruise_deg)

    def _accelerate(self, wanted_deg: float) -> int:
        wanted_deg = max(-FASTEST_DEG, min(FASTEST_DEG, wanted_deg))
        slower = abs(wanted_deg) < abs(self._speed_deg)
        limit_deg = 2 * JERK_DEG if slower else JERK_DEG
        self._speed_deg += max(-limit_deg, min(limit_deg, wanted_deg - self._speed_deg))
        moved_deg = self._speed_deg * max(0.0, self._random.gauss(1.0, TREMOR))
        return round(moved_deg / self._deg_per_px)
