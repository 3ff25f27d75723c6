"""How long is waited for a model, and that a person may stop it: kept by one small thread beside the one that waits."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType

from annotator.vision.failures import Stopped, VisionBusy

Cancelled = Callable[[], bool]
_LOOKS_S = 0.05


class Patience:
    """Within it, `let_go` is called once as soon as time is up or a person stops it, from the small thread.

    `let_go` must make what is waited for fail at once: shut a socket down, end a process. Use as a context manager.
    """

    def __init__(self, timeout_s: float, cancelled: Cancelled, let_go: Callable[[], object]) -> None:
        self._until_s = time.monotonic() + timeout_s
        self._timeout_s, self._cancelled, self._let_go = timeout_s, cancelled, let_go
        self._done = threading.Event()
        self._reason = ""
        self._thread = threading.Thread(target=self._watch, name="patience", daemon=True)

    def __enter__(self) -> Patience:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    @property
    def has_ended(self) -> bool:
        return bool(self._reason)

    def check(self) -> None:
        """Raises Stopped or VisionBusy where it has ended."""
        if self._reason == "stopped" or self._cancelled():
            raise Stopped("Stopped; what was answered so far is kept, and asking again goes on from there.")
        if self._reason:
            raise VisionBusy(f"The model did not answer within {self._timeout_s:g} s.")

    def _watch(self) -> None:
        while not self._done.wait(_LOOKS_S):
            if self._cancelled():
                self._reason = "stopped"
            elif time.monotonic() >= self._until_s:
                self._reason = "late"
            if self._reason:
                with contextlib.suppress(OSError):
                    self._let_go()


def rest(seconds: float, cancelled: Cancelled) -> None:
    """Waits; raises Stopped where a person stops it."""
    until_s = time.monotonic() + seconds
    wait = threading.Event()
    while True:
        if cancelled():
            raise Stopped("Stopped; what was answered so far is kept, and asking again goes on from there.")
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            return
        wait.wait(min(left_s, _LOOKS_S))
