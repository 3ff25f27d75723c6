"""How fast it plays: the paces there are, and what J and L make of the present one."""

from __future__ import annotations

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Times real time, forward or backward."""


def shuttle(speed: float, direction: int) -> float:
    """The speed after J (direction -1) or L (1): from a stand at real time, the same way faster, the other way slower.

    At real time or below, the other key turns. `speed` is negative backward, 0 while paused.
    """
    pace = abs(speed)
    if speed * direction > 0:
        return direction * next((faster for faster in SPEEDS if faster > pace), SPEEDS[-1])
    if pace <= 1.0:
        return float(direction)
    return -direction * max(slower for slower in SPEEDS if slower < pace)


def pace_away(pace: float, steps: int) -> float:
    """The pace so many places up or down in SPEEDS from the one nearest to `pace`."""
    nearest = min(SPEEDS, key=lambda speed: abs(speed - pace))
    return SPEEDS[min(max(SPEEDS.index(nearest) + steps, 0), len(SPEEDS) - 1)]
