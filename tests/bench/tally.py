"""Numbers of many sessions, one format each, as lines of a table: shares, largest differences and medians."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Tally:
    """What one format did to all sessions. A quantity of which nothing was said reads "-"."""

    def __init__(self) -> None:
        self._shares: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._counts: dict[str, int] = {}
        self._largest: dict[str, float] = {}
        self._values: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
        self._errors: dict[str, list[float]] = defaultdict(list)
        self.order: dict[str, None] = {}
        """The quantities, in the order in which they were first said."""

    def share(self, name: str, same: int, of: int) -> None:
        """How many of so many are the same."""
        self.order[name] = None
        self._shares[name][0] += int(same)
        self._shares[name][1] += int(of)

    def count(self, name: str, more: int) -> None:
        self.order[name] = None
        self._counts[name] = self._counts.get(name, 0) + int(more)

    def largest(self, name: str, values: Sequence[float] | NDArray[np.float64] | NDArray[np.int64]) -> None:
        """The largest distance from 0."""
        self.order[name] = None
        if len(values):
            self._largest[name] = max(self._largest.get(name, 0.0), float(np.abs(values).max()))

    def median(self, name: str, values: Sequence[float] | NDArray[np.float64]) -> None:
        """The median distance from 0."""
        self.order[name] = None
        self._values[name].append(np.abs(np.asarray(values, np.float64)))

    def psnr(self, name: str, errors: Sequence[float]) -> None:
        """errors: the mean squared error of each picture, in squares of 8-bit steps. Told of all as if they were one, and of the worst."""
        for said in (f"{name}: PSNR of all, dB", f"{name}: PSNR of the worst, dB"):
            self.order[said] = None
            self._errors[said] += errors

    def text(self, name: str) -> str:
        if name in self._shares:
            return _share(*self._shares[name])
        if name in self._counts:
            return str(self._counts[name])
        if name in self._largest:
            return _number(self._largest[name])
        if name in self._errors:
            error = max(self._errors[name]) if "worst" in name else float(np.mean(self._errors[name]))
            return "equal" if error == 0 else f"{10 * math.log10(255**2 / error):.1f}"
        found = np.concatenate(self._values[name]) if name in self._values else np.zeros(0)
        return _number(float(np.median(found))) if len(found) else "-"


def table(columns: dict[str, Tally]) -> dict[str, str]:
    """A line for each quantity, a column for each format. Under "" the line of the formats' names."""
    names = list(dict.fromkeys(name for tally in columns.values() for name in tally.order))
    cells = {"": list(columns)} | {name: [tally.text(name) for tally in columns.values()] for name in names}
    widths = [max(map(len, column)) for column in zip(*cells.values(), strict=True)]
    return {
        name: "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for name, row in cells.items()
    }


def _share(same: int, of: int) -> str:
    """In percent, never rounded up to all of them nor down to none."""
    if of == 0:
        return "-"
    if same in (0, of):
        return "all" if same else f"0 of {of}"
    if of < 1000:
        return f"{same} of {of}"
    return f"{min(max(round(100 * same / of, 3), 0.001), 99.999):g} %"


def _number(value: float) -> str:
    """To three digits, and not a trace of what floats leave."""
    return f"{value:.3g}" if 1e-9 <= value < 999.5 else f"{value:.0f}"
