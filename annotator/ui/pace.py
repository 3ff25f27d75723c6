"""How much longer something will take, told from how far it came."""

from __future__ import annotations

import time
from collections.abc import Callable

_LEAST_S = 1.0
"""Before that nothing can be said."""


class Pace:
    """Begins to count with the first question."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._began: tuple[float, int] | None = None

    def words(self, done: int, total: int) -> str:
        """Such as `about 2 min left`; "" while it cannot be told yet and at the end."""
        left_s = self.left_s(done, total)
        if left_s is None:
            return ""
        if left_s < 90:
            return f"about {max(round(left_s), 1)} s left"
        return f"about {left_s / 60:.0f} min left" if left_s < 5400 else f"about {left_s / 3600:.1f} h left"

    def left_s(self, done: int, total: int) -> float | None:
        """None while it cannot be told yet and at the end."""
        now_s = self._now_s()
        if self._began is None:
            self._began = (now_s, done)
        took_s, more = now_s - self._began[0], done - self._began[1]
        if took_s < _LEAST_S or more <= 0 or done >= total:
            return None
        return took_s / more * (total - done)
