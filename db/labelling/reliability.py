"""How far the annotators of a library agree, over every session that two of them labelled, with confidence.

Counts are pooled over sessions: kappa is of all frames together, as the mean IoU is of all matched spans together.
Confidence is the percentile bootstrap over sessions (Efron, "Bootstrap methods", 1979): frames of one session are not
independent of each other, sessions are. Its draws are seeded, so that the same library gives the same figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from db.errors import PlaytapeError
from db.labelling.agreement import iou, match, plain
from db.labelling.labels import Edit, LabelKind, Review
from db.labelling.readings import PREFIX, Reading, pair
from db.library.tables import LabelRow, SessionRow

if TYPE_CHECKING:
    from db.store import Store

DRAWS, SEED, COVERED = 1000, 20_260, 0.95
DRAWS_AT_ONCE = 20
"""Drawing lets no other thread run, so little is drawn at a time."""
LEAST_SESSIONS = 5
"""Below this many sessions there is no confidence to speak of."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Two readings of one session of `frames` frames."""

    session_id: str
    game: str
    frames: int
    first: Reading
    second: Reading

    @property
    def people(self) -> tuple[str, str]:
        """Both, in the order of the alphabet: who read first does not make another pair."""
        one, other = sorted((self.first.person, self.second.person))
        return one, other


@dataclass(frozen=True)
class Figure:
    """A number with the range that holds it in COVERED of the draws."""

    value: float | None
    """None where there is nothing to measure."""
    low: float | None = None
    high: float | None = None
    """None where there are fewer than LEAST_SESSIONS sessions."""
    count: int = 0
    """Of what it is: frames that either marked, or matched spans."""


@dataclass(frozen=True)
class Reliability:
    """The figures of some sessions."""

    sessions: int
    flags: dict[str, Figure] = field(default_factory=dict)
    """Word -> Cohen's kappa over frames, in [-1, 1]; the words most marked first."""
    found: Figure = Figure(None)
    """F1 of finding the same instructions, in [0, 1]."""
    iou: Figure = Figure(None)
    """Mean intersection over union of matched instructions, in [0, 1]."""
    boundary_frames: Figure = Figure(None)
    """Mean absolute distance of their starts and ends, in frames."""
    same_words: Figure = Figure(None)
    """Share of matched instructions with the same words, in [0, 1]."""
    errors_frames: tuple[int, ...] = ()
    """Every signed distance of a matched start or end: the second reading's minus the first's."""


def read_compared(
    store: Store,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Compared]:
    """Every session of the library of which both readings are done. One that cannot be read is left out."""
    done = select(LabelRow.session_id).where(
        LabelRow.kind == LabelKind.REVIEW.value,
        LabelRow.source.startswith(PREFIX, autoescape=True),
        LabelRow.value.in_((Review.LABELLED.value, Review.ACCEPTED.value)),
    )
    query = select(SessionRow.id, SessionRow.game, SessionRow.frames)
    query = query.where(SessionRow.id.in_(done), SessionRow.trashed_at.is_(None)).order_by(SessionRow.id)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    found = []
    for number, (session_id, game, frames) in enumerate(rows, 1):
        if cancelled():
            break
        try:
            readings = pair(store.edits(session_id))
        except PlaytapeError:
            readings = None
        if readings is not None:
            found.append(Compared(session_id, game, frames, *readings))
        progress(number, len(rows))
    return found


def by_pair(compared: Iterable[Compared]) -> dict[tuple[str, str], list[Compared]]:
    """The sessions of every two people, those with most sessions first."""
    pairs: dict[tuple[str, str], list[Compared]] = {}
    for one in compared:
        pairs.setdefault(one.people, []).append(one)
    return dict(sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0])))


def measure(compared: Sequence[Compared]) -> Reliability:
    """The figures of these sessions together."""
    sums = [_sums(one) for one in compared]
    weights = _draws(len(sums))
    words = sorted({word for one in sums for word in one.flags})
    tables = {word: np.array([one.flags.get(word, (0, 0, 0, one.frames)) for one in sums], float) for word in words}
    marked = {word: int(table[:, :3].sum()) for word, table in tables.items()}
    flags = {
        word: _figure(tables[word], weights, _kappa, marked[word])
        for word in sorted(words, key=lambda word: (-marked[word], word))
    }
    spans = np.array([one.spans for one in sums], float).reshape(-1, len(_COLUMNS))
    matched = int(spans[:, 0].sum())

    def mean(column: int) -> Figure:
        return _figure(spans[:, [column, 0]], weights, _ratio, matched)

    return Reliability(
        sessions=len(sums),
        flags=flags,
        found=_figure(np.stack([2 * spans[:, 0], spans[:, 1]], axis=1), weights, _ratio, matched),
        iou=mean(2),
        boundary_frames=mean(3),
        same_words=mean(4),
        errors_frames=tuple(error for one in sums for error in one.errors),
    )


_COLUMNS = ("matched", "spans of both", "sum of IoU", "sum of mean boundary errors", "same words")


@dataclass(frozen=True)
class _Sums:
    """What one session adds to the pool."""

    frames: int
    flags: dict[str, tuple[int, int, int, int]]
    """Word -> frames that both marked, only the first, only the second, neither."""
    spans: tuple[float, ...]
    """In the order of _COLUMNS."""
    errors: tuple[int, ...]


def _sums(one: Compared) -> _Sums:
    said = (one.first.spans, one.second.spans)
    words = {edit.value for spans in said for edit in spans if edit.kind is LabelKind.FLAG}
    flags = {}
    for word in words:
        a, b = (_marked(spans, word, one.frames) for spans in said)
        flags[word] = int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum())
    first, second = ([edit for edit in spans if edit.kind is LabelKind.INSTRUCTION] for spans in said)
    ranges = [[(edit.start or 0, edit.stop or 0) for edit in spans] for spans in (first, second)]
    pairs = match(*ranges)
    overlap = sum(iou(ranges[0][i], ranges[1][j]) for i, j in pairs)
    errors = [ranges[1][j][end] - ranges[0][i][end] for i, j in pairs for end in (0, 1)]
    same = sum(plain(first[i].value) == plain(second[j].value) for i, j in pairs)
    spans = (len(pairs), len(first) + len(second), overlap, sum(map(abs, errors)) / 2, same)
    return _Sums(one.frames, flags, spans, tuple(errors))


def _marked(spans: Iterable[Edit], word: str, frames: int) -> NDArray[np.bool_]:
    marked = np.zeros(frames, np.bool_)
    for edit in spans:
        if edit.kind is LabelKind.FLAG and edit.value == word:
            marked[edit.start : edit.stop] = True
    return marked


def _draws(sessions: int) -> Floats | None:
    """(DRAWS, sessions): how often each session is drawn; None where there are too few."""
    if sessions < LEAST_SESSIONS:
        return None
    rng, shares = np.random.default_rng(SEED), np.full(sessions, 1 / sessions)
    some = [rng.multinomial(sessions, shares, DRAWS_AT_ONCE) for _ in range(DRAWS // DRAWS_AT_ONCE)]
    return np.concatenate(some).astype(float)


def _figure(rows: Floats, weights: Floats | None, value_of: Callable[[Floats], Floats], count: int) -> Figure:
    """rows (sessions, K); value_of maps sums (M, K) to values (M,), nan where there is nothing to measure."""
    if not len(rows):
        return Figure(None)
    value = float(value_of(rows.sum(axis=0, keepdims=True))[0])
    if np.isnan(value):
        return Figure(None, count=count)
    if weights is None:
        return Figure(value, count=count)
    drawn = value_of(weights @ rows)
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Figure(value, float(low), float(high), count)


def _kappa(table: Floats) -> Floats:
    """Of (M, 4) counts as in `_Sums.flags`."""
    total = np.maximum(table.sum(axis=1), 1)
    observed = (table[:, 0] + table[:, 3]) / total
    p, q = (table[:, 0] + table[:, 1]) / total, (table[:, 0] + table[:, 2]) / total
    expected = p * q + (1 - p) * (1 - q)
    return np.where(expected < 1, (observed - expected) / np.where(expected < 1, 1 - expected, 1), np.nan)


def _ratio(sums: Floats) -> Floats:
    """Of (M, 2) numerators and denominators."""
    return np.where(sums[:, 1] > 0, sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], 1), np.nan)
