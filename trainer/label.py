"""Imputes actions with a trained IDM, as suggestions: where inputs were never recorded, or where the recording is doubted.

What is written are edits of kind ACTION, suggested, with source `run:<model>`: an `ImputedCorrection` for at most
CHUNK_S seconds of a stretch without inputs, a `KeyCorrection` where a known key disagrees. Confirmed in the annotator they
are in force: `resolve` and every dataset frozen afterwards honour them. Stretches that this model has labelled before are
skipped, also where a person rejected that, so a run that was stopped goes on where it stopped.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.clock import FrameClock
from db.errors import BadArgument, NotFound
from db.labelling.labels import Edit, Flag, LabelKind, spans
from db.recording.actions import Bools
from db.recording.corrections import ImputedCorrection, KeyCorrection, corrections_of
from db.recording.events import GapReason
from db.recording.reader import Recording
from db.recording.stretches import stretches_of
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn
from trainer.data.clips import Take, load_session
from trainer.data.manifest import read_manifest
from trainer.models import Card, Loaded
from trainer.scoring.baselines import Prediction
from trainer.scoring.inference import predict_take

CHUNK_S = 10.0
"""The longest stretch that one suggestion speaks of, so that a person can judge it at a glance."""
BLOCK_TICKS = 256
"""Ticks labelled at a time; what is done is committed after each."""
MARGIN_TICKS = 64
"""Further pictures on both sides, so that the edge of a block is seen as its middle is."""
LEAST_TICKS = 3
"""A disagreement shorter than this is a matter of a frame or two, and not of a bad recording."""
MOST_TEXT = 20_000
LEAST_COUNTS = 0.5
"""Motion below it on both axes is none."""
RATE_SHARE = 0.75
"""Of the model's rate, what a recording must reach."""

_LABELLED = frozenset({GapReason.LOST, GapReason.UNRECORDED})
"""Gaps that may be filled. In the others somebody did something else, or did not want to be watched."""

Progress = Callable[[int, int], None]
"""Hears (ticks done, in all)."""


@dataclass(frozen=True)
class Labelled:
    """What was done to one session."""

    session_id: str
    suggestions: int
    imputed_s: float
    disagreements: int
    was_stopped: bool = False


def check_fits(store: Store, card: Card, recording: Recording, *, any_game: bool = False) -> None:
    """Raises BadArgument where the model is no IDM, or was made for another rate, for other keys or another game."""
    if card.kind != "idm":
        raise BadArgument(f"{card.id} is a {card.kind}; actions are imputed by an IDM, so name one of those.")
    if not card.space.codes:
        raise BadArgument(f"{card.id} knows no key at all; train an IDM on sessions in which keys are pressed.")
    clock, meta = recording.clock, recording.meta
    rate_hz = len(clock) / (clock.duration_ns / 1e9)
    if rate_hz < RATE_SHARE * card.clip.rate_hz:
        raise BadArgument(
            f"Session {meta.id} has {rate_hz:.1f} frames a second and {card.id} needs about {card.clip.rate_hz:g}; "
            f"train an IDM for the lower rate."
        )
    recorded = set(recording.resolve().codes)
    if recorded and not recorded & set(card.space.codes):
        raise BadArgument(f"None of the keys used in session {meta.id} is known to {card.id}; use another IDM.")
    if not any_game:
        games = _games(store, card)
        if games and meta.game not in games:
            raise BadArgument(
                f"{card.id} has only seen {', '.join(sorted(games))}, and session {meta.id} is of {meta.game}; "
                f"add --any-game to try it all the same."
            )


def label_session(
    store: Store,
    loaded: Loaded,
    session_id: str,
    author: str,
    *,
    disagreements: float | None = None,
    any_game: bool = False,
    progress: Progress = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Labelled:
    """Commits the suggestions for one session, block by block.

    disagreements: how sure, in [0.5, 1], the model must be to doubt what was recorded; None doubts nothing.
    Raises BadArgument where the model does not fit, Withdrawn, NotFound, BadFile, DiskFull.
    """
    refuse_withdrawn(store, session_id)
    card, recording = loaded.card, store.recording(session_id)
    check_fits(store, card, recording, any_game=any_game)
    edits = store.edits(session_id)
    wanted = _fillable(recording, edits) & ~_labelled_before(edits, source_of(card), len(recording.clock))
    take = load_session(store, session_id, card.clip, card.space)
    writer = _Writer(store, session_id, author, source_of(card), recording.clock)
    ticks = _tick_of_frames(take, len(recording.clock))
    doubted = _doubtable(take, edits, recording) if disagreements is not None else np.zeros(len(take), np.bool_)
    todo = np.bincount(ticks[wanted], minlength=len(take)).astype(np.bool_) | doubted
    blocks = list(_blocks(todo))
    total, done = int(todo.sum()), 0
    progress(0, total)
    doubts: list[tuple[int, int, Prediction]] = []
    for first, last in blocks:
        if stopped():
            return writer.result(was_stopped=True)
        said = predict_part(loaded, take, first, last)
        frames = wanted & (ticks >= first) & (ticks < last)
        writer.impute(take, card, said, first, frames)
        doubts.append((first, last, said))
        done += int(todo[first:last].sum())
        progress(done, total)
    if disagreements is not None:
        writer.doubt(take, card, doubts, doubted, disagreements)
    return writer.result()


def source_of(card: Card) -> str:
    return f"run:{card.id}"


def predict_part(loaded: Loaded, take: Take, first: int, last: int) -> Prediction:
    """What the model says of the ticks [first, last), with pictures before and after them in view."""
    low, high = max(first - MARGIN_TICKS, 0), min(last + MARGIN_TICKS, len(take))
    said = predict_take(loaded.net, _part(take, low, high), loaded.card.space, thresholds=loaded.card.thresholds)
    inside = slice(first - low, last - low)
    bins = (said.bins[0][inside], said.bins[1][inside]) if said.bins is not None else None
    return replace(
        said, probability=said.probability[inside], keys=said.keys[inside], motion=said.motion[inside], bins=bins
    )


@dataclass
class _Writer:
    """Turns predictions into committed suggestions."""

    store: Store
    session_id: str
    author: str
    source: str
    clock: FrameClock
    suggestions: int = 0
    disagreements: int = 0
    imputed_ns: int = 0

    def result(self, *, was_stopped: bool = False) -> Labelled:
        return Labelled(
            self.session_id, self.suggestions, self.imputed_ns / 1e9, self.disagreements, was_stopped=was_stopped
        )

    def impute(self, take: Take, card: Card, said: Prediction, first: int, frames: Bools) -> None:
        """Suggests what was done in these frames (N,); `said` begins at the tick `first`."""
        edits, edges = [], self.clock.edges_ns
        for start, stop in stretches_of(frames):
            for a, b in self._chunks(start, stop):
                edits += self._imputed(take, card, said, first, a, b)
                self.imputed_ns += int(edges[b] - edges[a])
        self._commit(edits)

    def doubt(
        self,
        take: Take,
        card: Card,
        parts: Sequence[tuple[int, int, Prediction]],
        doubted: Bools,
        sure: float,
    ) -> None:
        """Suggests the model's word for every key where it is sure and the recording says otherwise for a while."""
        probability = np.full((len(take), len(card.space.codes)), np.nan, np.float32)
        for first, last, said in parts:
            probability[first:last] = said.probability
        edits = []
        for column, code in enumerate(card.space.codes):
            down = probability[:, column] >= card.thresholds[column]
            certainty = np.maximum(probability[:, column], 1 - probability[:, column])
            differs = doubted & (certainty >= sure) & (down != take.keys[:, column])
            for first, last in stretches_of(differs):
                if last - first >= LEAST_TICKS:
                    start, stop = int(take.ticks[first]), _frame_after(take, last, len(self.clock))
                    holds = _holds(down[first:last], take.edges_ns[first : last + 1])
                    confidence = round(float(certainty[first:last].mean()), 3)
                    correction = KeyCorrection(code=code, holds_ns=holds, confidence=confidence)
                    edits.append(self._edit(start, stop, correction))
        known = {edit.entity_id for edit in self.store.edits(self.session_id)}
        fresh = [edit for edit in edits if edit.entity_id not in known]
        self.disagreements += len(fresh)
        self._commit(fresh)

    def _imputed(self, take: Take, card: Card, said: Prediction, first: int, start: int, stop: int) -> list[Edit]:
        """One suggestion over the frames [start, stop), or two halves where it says too much for one."""
        low_ns, high_ns = int(self.clock.edges_ns[start]), int(self.clock.edges_ns[stop])
        edges = take.edges_ns
        begin = max(int(np.searchsorted(edges, low_ns, "right")) - 1, first)
        end = min(int(np.searchsorted(edges, high_ns, "left")), first + len(said.keys))
        inside = slice(begin - first, end - first)
        keys = []
        for column, code in enumerate(card.space.codes):
            holds = _clipped(_holds(said.keys[inside, column], edges[begin : end + 1]), low_ns, high_ns)
            keys += [KeyCorrection(code=code, holds_ns=holds)] if holds else []
        moves = [
            (max(int(edges[begin + i]), low_ns), round(float(right), 1), round(float(down), 1))
            for i, (right, down) in enumerate(said.motion[inside])
            if max(abs(float(right)), abs(float(down))) >= LEAST_COUNTS
        ]
        probability = said.probability[inside]
        certainty = np.maximum(probability, 1 - probability).min(axis=1).mean() if len(probability) else 0.0
        correction = ImputedCorrection(confidence=round(float(certainty), 3), keys=tuple(keys), moves=tuple(moves))
        if len(correction.model_dump_json()) > MOST_TEXT and stop - start > 1:
            middle = (start + stop) // 2
            halves = ((start, middle), (middle, stop))
            return [edit for a, b in halves for edit in self._imputed(take, card, said, first, a, b)]
        return [self._edit(start, stop, correction)]

    def _edit(self, start: int, stop: int, correction: ImputedCorrection | KeyCorrection) -> Edit:
        value = correction.model_dump_json()
        name = f"{self.source} {start} {stop} {value}"
        return Edit(
            session_id=self.session_id,
            entity_id=str(uuid.uuid5(uuid.UUID(self.session_id), name)),
            kind=LabelKind.ACTION,
            start=start,
            stop=stop,
            value=value,
            author=self.author,
            source=self.source,
            suggested=True,
        )

    def _commit(self, edits: Sequence[Edit]) -> None:
        if edits:
            self.store.commit(list(edits))
            self.suggestions += len(edits)

    def _chunks(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Equal parts of [start, stop), none longer than CHUNK_S."""
        edges = self.clock.edges_ns
        count = max(int(np.ceil((edges[stop] - edges[start]) / (CHUNK_S * 1e9))), 1)
        wanted = np.linspace(edges[start], edges[stop], count + 1)[1:-1]
        cuts = np.unique(np.searchsorted(edges, wanted.astype(np.int64)))
        bounds = [start, *(int(cut) for cut in cuts if start < cut < stop), stop]
        yield from itertools.pairwise(bounds)


def _fillable(recording: Recording, edits: Sequence[Edit]) -> Bools:
    """(N,) frames whose inputs are not known because nobody recorded them, and about which nobody said otherwise."""
    clock = recording.clock
    edges, count = clock.edges_ns, len(clock)
    current = spans(edits)
    known = recording.resolve(corrections=corrections_of(current)).known
    wanted = np.zeros(count, np.bool_)
    for gap in recording.gaps:
        touched = (edges[1:] > gap.start_ns) & (edges[:-1] < gap.stop_ns)
        if gap.reason in _LABELLED:
            wanted |= touched
    wanted &= ~known
    for gap in recording.gaps:
        if gap.reason not in _LABELLED:
            wanted &= (edges[1:] <= gap.start_ns) | (edges[:-1] >= gap.stop_ns)
    for span in current:
        if hides(span) and span.start is not None and span.stop is not None:
            wanted[span.start : span.stop] = False
    return wanted


def hides(span: Edit) -> bool:
    """Whether a span keeps its frames from models: private, also where that is only suggested, or left out."""
    private = span.kind is LabelKind.FLAG and span.value.casefold() == Flag.PRIVATE.value
    return private or (span.kind is LabelKind.TRIM and not span.suggested)


def _labelled_before(edits: Sequence[Edit], source: str, count: int) -> Bools:
    """(N,) frames of which this model has said something before, whatever became of it."""
    covered = np.zeros(count, np.bool_)
    for edit in edits:
        if edit.kind is LabelKind.ACTION and edit.source == source and edit.value.startswith('{"kind":"imputed"'):
            covered[edit.start : edit.stop] = True
    return covered


def _doubtable(take: Take, edits: Sequence[Edit], recording: Recording) -> Bools:
    """(T,) ticks whose actions a person did and were recorded, outside of what is hidden or corrected already."""
    doubted = take.known.copy()
    stops = np.append(take.ticks[1:], len(recording.clock))
    for span in spans(edits):
        corrected = span.kind is LabelKind.ACTION and not span.suggested
        if (corrected or hides(span)) and span.start is not None and span.stop is not None:
            doubted &= (stops <= span.start) | (take.ticks >= span.stop)
    return doubted


def _games(store: Store, card: Card) -> set[str]:
    """The games of the dataset that the model was trained on; none where that is gone."""
    try:
        return {item.game for item in read_manifest(store, card.dataset_id).items}
    except NotFound:
        return set()


def _part(take: Take, first: int, last: int) -> Take:
    """The ticks [first, last) of a take as a take of their own."""
    columns: dict[str, Any] = {
        field.name: value[first:last]
        for field in fields(take)
        if isinstance(value := getattr(take, field.name), np.ndarray) and field.name != "edges_ns"
    }
    return replace(take, edges_ns=take.edges_ns[first : last + 1], **columns)


def _blocks(todo: Bools) -> Iterator[tuple[int, int]]:
    """Stretches of ticks, at most BLOCK_TICKS long, that hold everything that is to be done."""
    first = 0
    while first < len(todo):
        last = min(first + BLOCK_TICKS, len(todo))
        if todo[first:last].any():
            yield first, last
        first = last


def _tick_of_frames(take: Take, count: int) -> NDArray[np.int64]:
    """(N,) the tick in whose interval each frame lies."""
    return np.searchsorted(take.ticks, np.arange(count), "right").astype(np.int64) - 1


def _frame_after(take: Take, tick: int, count: int) -> int:
    """The first frame that no longer belongs to the tick before."""
    return int(take.ticks[tick]) if tick < len(take) else count


def _holds(down: Bools, edges_ns: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """(T,) and (T + 1,) -> when it is down."""
    return tuple((int(edges_ns[a]), int(edges_ns[b])) for a, b in stretches_of(down))


def _clipped(holds: Sequence[tuple[int, int]], low_ns: int, high_ns: int) -> tuple[tuple[int, int], ...]:
    cut = ((max(a, low_ns), min(b, high_ns)) for a, b in holds)
    return tuple((a, b) for a, b in cut if a < b)
