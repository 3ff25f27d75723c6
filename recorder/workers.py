"""A thread with an owner: started once, asked to stop, joined, its failure kept for the owner to look at."""

from __future__ import annotations

import gc
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from db.errors import PlaytapeError


def settle() -> None:
    """Keeps the garbage collector from what is loaded by now: going through all of it takes longer than a frame may.

    To be called once by a program, when it has started.
    """
    gc.collect()
    gc.freeze()


class Worker(ABC):
    """One thread. The owner calls `start`, looks at `error` now and then, and calls `close`, which joins."""

    def __init__(self, name: str) -> None:
        self.error: Exception | None = None
        self.on_failure: Callable[[Exception], None] = lambda error: None
        """Called in the dying thread."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._guard, name=name, daemon=True)

    @abstractmethod
    def run(self) -> None:
        """The thread's work; returns soon after `_stopping` is set."""

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout_s: float) -> None:
        """Waits for at most so long until the thread has ended by itself."""
        self._thread.join(timeout_s)

    def close(self) -> None:
        """Asks the thread to stop and waits until it has. Does nothing if it never ran."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def check(self) -> None:
        """Raises what ended the thread, if something did."""
        if self.error is not None:
            raise self.error

    def _guard(self) -> None:
        try:
            self.run()
        except Exception as error:  # the owner raises it in its own thread
            if not isinstance(error, PlaytapeError):
                error.add_note(f"in the thread {self._thread.name}")
            self.error = error
            self.on_failure(error)
