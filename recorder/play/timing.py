"""What is counted and timed while a policy plays."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_RECENT = 40


@dataclass(frozen=True)
class Tick:
    """How long each part of one tick took, in the order in which they follow one another."""

    grab_ns: int
    """From asking for the picture to its stamp."""
    wait_ns: int
    """From the stamp until the player took it."""
    resize_ns: int
    """The recording's colours and the model's size."""
    wire_ns: int
    """There and back, without what the server took to decide."""
    infer_ns: int
    inject_ns: int
    total_ns: int
    """From the frame's stamp to the injection."""
    has_acted: bool
    """Whether the model was in control, so that anything was injected."""


PARTS = ("grab", "wait", "resize", "wire", "infer", "inject")


@dataclass
class Tally:
    """One thread adds; any may look."""

    rate_hz: float = 0.0
    """What is wished for: the model's."""
    ticks: int = 0
    late: int = 0
    """Decisions that came more than a tick after their frame; the ticks in between were skipped."""
    began_ns: int = 0
    ended_ns: int = 0
    parts_ns: dict[str, list[int]] = field(default_factory=lambda: {part: [] for part in PARTS})
    frame_to_injection_ns: list[int] = field(default_factory=list)
    _recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def add(self, tick: Tick, now_ns: int, period_ns: int) -> None:
        self.ticks += 1
        self.began_ns, self.ended_ns = self.began_ns or now_ns, now_ns
        self.late += tick.total_ns > period_ns
        for part, values in self.parts_ns.items():
            values.append(getattr(tick, f"{part}_ns"))
        if tick.has_acted:
            self.frame_to_injection_ns.append(tick.total_ns)
        self._recent.append((now_ns, tick.total_ns))

    @property
    def late_per_minute(self) -> float | None:
        minutes = (self.ended_ns - self.began_ns) / 60e9
        return round(self.late / minutes, 2) if minutes > 0 else None

    def recent(self) -> tuple[float, float]:
        """Decisions a second and the middle latency in milliseconds, over the last ones; (0, 0) before there are two."""
        last = list(self._recent)
        if len(last) < 2:
            return 0.0, 0.0
        rate_hz = (len(last) - 1) / ((last[-1][0] - last[0][0]) / 1e9)
        return rate_hz, float(np.median([total_ns for _, total_ns in last])) / 1e6

    def facts(self) -> dict[str, Any]:
        """For the play's result: latencies in ms as p50 and p99."""
        return {
            "ticks": self.ticks,
            "late": self.late,
            "late_per_minute": self.late_per_minute,
            "rate_hz": self.rate_hz,
            **_quantiles("infer", self.parts_ns["infer"]),
            **_quantiles("frame_to_injection", self.frame_to_injection_ns),
            "split_ms": {part: list(_spread_ms(values)) for part, values in self.parts_ns.items()},
        }


def _quantiles(name: str, values_ns: list[int]) -> dict[str, float | None]:
    p50, p99 = _spread_ms(values_ns)
    return {f"{name}_ms_p50": p50, f"{name}_ms_p99": p99}


def _spread_ms(values_ns: list[int]) -> tuple[float | None, float | None]:
    if not values_ns:
        return None, None
    p50, p99 = np.percentile(np.array(values_ns) / 1e6, [50, 99])
    return round(float(p50), 3), round(float(p99), 3)
