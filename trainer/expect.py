"""Asks an IDM what it expects in a session, for whoever shows where the recording disagrees (`db.recording.surprise`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from db.errors import BadArgument, BadFile
from db.labelling.labels import spans
from db.recording.actions import Bools
from db.recording.expectation import (
    Expectation,
    expectation_path,
    model_digest,
    read_expectation,
    write_expectation,
)
from db.recording.session import read_meta
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn
from trainer.data.clips import Take, load_session
from trainer.label import BLOCK_TICKS, check_fits, hides, predict_part
from trainer.models import CARD_NAME, Card, Loaded
from trainer.scoring.surprise import scale_of
from trainer.training.stopping import Stopped

KEEP_S = 30.0
"""What was said is kept so often, so that a process that is killed has lost no more."""

Progress = Callable[[str, int, int], None]
"""Hears (what is being done, how many ticks are done, of how many)."""


@dataclass(frozen=True)
class Expected:
    """What was done to one session. `said_s` is what the IDM has spoken of by now, of all that it may see."""

    session_id: str
    path: str
    said_s: float
    was_stopped: bool = False


def expect_session(
    store: Store,
    loaded: Loaded,
    session_id: str,
    *,
    any_game: bool = False,
    progress: Progress = lambda what, done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Expected:
    """Keeps in the cache what an IDM expects at each of its ticks, block by block; goes on where it was stopped.

    Stretches that are private or left out are not looked at. Raises BadArgument where the model does not fit or the
    session was changed meanwhile, Withdrawn, NotFound, BadFile, DiskFull.
    """
    refuse_withdrawn(store, session_id)
    card, recording = loaded.card, store.recording(session_id)
    check_fits(store, card, recording, any_game=any_game)
    digest = model_digest(store.models_dir / card.id / CARD_NAME)
    keeper = _Keeper(store, session_id, recording.meta.revision, digest)

    def tell(done: int, total: int) -> None:
        progress("reading pictures", done, total)
        if stopped():
            raise Stopped

    try:
        take = load_session(store, session_id, card.clip, card.space, tell=tell)
    except Stopped:
        return Expected(session_id, str(keeper.path), 0.0, was_stopped=True)
    try:
        said = read_expectation(keeper.path, len(recording.clock))
        if said.codes != card.space.codes or not np.array_equal(said.edges_ns, take.edges_ns):
            raise BadFile("It is of other ticks.")
    except BadFile:  # nothing there yet, or nothing that can be used
        said = _nothing_said(take, card)
    todo = _seen(store, session_id, take, len(recording.clock)) & ~said.said
    total, done, was_stopped = int(todo.sum()), 0, False
    for first in range(0, len(take), BLOCK_TICKS):
        last = min(first + BLOCK_TICKS, len(take))
        if not todo[first:last].any():
            continue
        progress("looking", done, total)
        if stopped():
            was_stopped = True
            break
        _say(said, loaded, take, first, last, todo)
        done += int(todo[first:last].sum())
        keeper.keep_now_and_then(said)
    keeper.keep(said)
    progress("looking", done, total)
    said_s = float(np.diff(said.edges_ns)[said.said].sum()) / 1e9
    return Expected(session_id, str(keeper.path), said_s, was_stopped=was_stopped)


class _Keeper:
    """Where it is written, and when."""

    def __init__(self, store: Store, session_id: str, revision: int, digest: str) -> None:
        self.path = expectation_path(store.cache_dir, session_id, revision, digest)
        self._store, self._session_id, self._revision = store, session_id, revision
        self._kept_s = time.monotonic()

    def keep_now_and_then(self, said: Expectation) -> None:
        if time.monotonic() - self._kept_s >= KEEP_S:
            self.keep(said)

    def keep(self, said: Expectation) -> None:
        """Raises BadArgument where pictures were destroyed meanwhile: what was seen in them must not be kept."""
        meta = read_meta(self._store.session_folder(self._session_id))
        if meta.revision != self._revision or meta.redact_frames:
            raise BadArgument(f"Session {self._session_id} was changed meanwhile; ask the IDM again.")
        refuse_withdrawn(self._store, self._session_id)
        write_expectation(self.path, said)
        self._kept_s = time.monotonic()


def _nothing_said(take: Take, card: Card) -> Expectation:
    space, count = card.space, len(take)
    return Expectation(
        model=card.id,
        ticks=take.ticks,
        edges_ns=take.edges_ns,
        codes=space.codes,
        probability=np.zeros((count, len(space.codes)), np.float16),
        dx=np.zeros((count, len(space.dx_values)), np.float16),
        dy=np.zeros((count, len(space.dy_values)), np.float16),
        dx_edges=np.asarray(space.dx_edges, np.float64),
        dy_edges=np.asarray(space.dy_edges, np.float64),
        dx_values=np.asarray(space.dx_values, np.float64),
        dy_values=np.asarray(space.dy_values, np.float64),
        said=np.zeros(count, np.bool_),
        scale=scale_of(card),
    )


def _seen(store: Store, session_id: str, take: Take, frame_count: int) -> Bools:
    """(T,) the ticks whose pictures a model may look at."""
    seen = np.ones(len(take), np.bool_)
    stops = np.append(take.ticks[1:], frame_count)
    for span in spans(store.edits(session_id)):
        if hides(span) and span.start is not None and span.stop is not None:
            seen &= (stops <= span.start) | (take.ticks >= span.stop)
    return seen


def _say(said: Expectation, loaded: Loaded, take: Take, first: int, last: int, todo: Bools) -> None:
    """Fills in what the model says of the ticks [first, last) that are to be done."""
    found = predict_part(loaded, take, first, last)
    rows = first + np.flatnonzero(todo[first:last])
    said.probability[rows] = found.probability[rows - first]
    said.dx[rows], said.dy[rows] = found.bins[0][rows - first], found.bins[1][rows - first]
    said.said[rows] = True
