"""A small session of 20 frames a second, in a library of its own, for the peers whose code is checked out beside ours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db.recording.keys import BTN_LEFT
from db.store import Store
from recordings import KEY_A, KEY_W, START_NS, Take, key, move, record

COUNT, STEP = 60, 50_000_000


@contextmanager
def library() -> Iterator[tuple[Store, Path]]:
    """An empty one, and a folder for what goes in and out; both are gone afterwards."""
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name) / "library") as store:
        yield store, Path(name)


def record_session(store: Store, code: int, frames: int) -> str:
    """W, the left button and A are held for some frames each, then `code` for so many from frame 30 on; the mouse moves further in each."""
    held = [(KEY_W, 3, 9), (BTN_LEFT, 5, 12), (KEY_A, 20, 21), (code, 30, 30 + frames)]
    events = [
        key(START_NS + at * STEP + 9, held_code, int(at == first))
        for held_code, first, last in held
        for at in (first, last)
    ]
    events += [move(START_NS + i * STEP + 7, i, -i) for i in range(COUNT)]
    times = [START_NS + i * STEP for i in range(COUNT)]
    return record(store, Take(times_ns=times, events=sorted(events, key=lambda event: event.t_ns)))
