"""Makes the batches of the next steps while the model learns from this one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

import torch

from trainer.data.batches import Batch

AHEAD = 2
_LOOK_S = 0.1


class Source(Protocol):
    """What makes the batch of a step, such as a `Sampler`."""

    def batch(self, step: int) -> Batch: ...


class Prefetch:
    """The batches of steps [first, stop) in order, made by a thread of its own that is at most AHEAD steps ahead.

    A context manager: leaving it joins the thread. What the source raises is raised where its batch is asked for.
    """

    def __init__(self, source: Source, first: int, stop: int) -> None:
        self._source, self._first, self._stop = source, first, stop
        self._made: queue.Queue[Batch | BaseException] = queue.Queue(AHEAD)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._make, name="prefetch", daemon=True)

    def __enter__(self) -> Prefetch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(self._first, self._stop):
            made = self._made.get()
            if isinstance(made, BaseException):
                raise made
            yield made

    def _make(self) -> None:
        torch.set_num_threads(1)  # of this thread alone: the learner's keep the processor
        for step in range(self._first, self._stop):
            try:
                made: Batch | BaseException = self._source.batch(step)
            except BaseException as error:  # told to whoever waits for it
                made = error
            while not self._closing.is_set():
                try:
                    self._made.put(made, timeout=_LOOK_S)
                    break
                except queue.Full:
                    continue
            if self._closing.is_set() or isinstance(made, BaseException):
                return
