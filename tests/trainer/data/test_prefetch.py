"""Batches made ahead are those of their steps, and nothing is left running."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from trainer.data.prefetch import AHEAD, Prefetch


class Steps:
    """A source that notes what it was asked for."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.asked: list[int] = []
        self._fails_at = fails_at

    def batch(self, step: int) -> Any:
        self.asked.append(step)
        if step == self._fails_at:
            raise OSError("the disk is gone")
        return step


def no_threads() -> bool:
    return not any(thread.name == "prefetch" for thread in threading.enumerate())


def test_batches_come_in_the_order_of_their_steps():
    with Prefetch(Steps(), 3, 40) as batches:  # type: ignore[arg-type]
        assert list(batches) == list(range(3, 40))
    assert no_threads()


def test_leaving_early_ends_the_thread_and_makes_no_more_than_it_may():
    source = Steps()
    with Prefetch(source, 0, 10**6) as batches:
        for batch in batches:
            if batch == 5:
                break
    assert no_threads()
    assert len(source.asked) <= 6 + AHEAD + 1


def test_what_goes_wrong_is_told_where_the_batch_is_asked_for():
    seen: list[Any] = []

    def use() -> None:
        with Prefetch(Steps(fails_at=4), 0, 10) as batches:
            seen.extend(batches)

    with pytest.raises(OSError, match="the disk is gone"):
        use()
    assert seen == [0, 1, 2, 3]
    assert no_threads()
