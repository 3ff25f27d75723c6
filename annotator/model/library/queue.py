"""Which sessions are to be reviewed, and in which order; and which of them two people are to label.

What looks wrong comes first and all of it. Of the rest a sample is drawn, larger for a contributor with few accepted
hours in that game. Draws follow from a session's id alone, so that everybody sees the same queue on every machine.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from db.labelling.labels import Flag, Review
from db.labelling.readings import Mark, Stage, labellers, marks
from db.library.catalogue import SessionSummary, Wanted
from db.recording.qa import Grade
from db.settings import LibrarySettings, read_settings
from db.store import Store

WAITING = frozenset({Review.LABELLED, Review.IN_REVIEW})
"""The states in which a session waits for a reviewer."""
BAD_FLAGS = frozenset({Flag.BAD_CAPTURE.value, Flag.PRIVATE.value, Flag.OFF_TASK.value})
_USUAL = LibrarySettings()


class Line(Protocol):
    """What is read of a session; `db.library.catalogue.SessionSummary` is one."""

    @property
    def id(self) -> str: ...
    @property
    def game(self) -> str: ...
    @property
    def player(self) -> str: ...
    @property
    def grade(self) -> str: ...
    @property
    def review(self) -> Review: ...
    @property
    def duration_s(self) -> float: ...


@dataclass(frozen=True)
class Turn:
    """One session in the queue, and why it is there."""

    session_id: str
    reason: str
    """For people: a few words."""
    share: float = 1.0
    """The share of its contributor's sessions that are sampled; 1 for what is always reviewed."""
    second: str = ""
    """The second reader, where that reading is begun or done."""


@dataclass(frozen=True)
class Queues:
    """Everything that waits for somebody, as one person sees it, each in the order in which to take it."""

    review: tuple[Turn, ...] = ()
    """To accept or to send back."""
    second: tuple[Turn, ...] = ()
    """To label a second time, blind: those that this person has begun first. Their own are not among them."""
    compare: tuple[Turn, ...] = ()
    """Labelled twice, to be compared and settled."""
    not_drawn: tuple[Turn, ...] = ()
    """What waits too, but was not drawn; it can be accepted as it is."""
    lines: Mapping[str, SessionSummary] | None = None
    """The sessions that are named above."""

    @property
    def parts(self) -> dict[str, tuple[Turn, ...]]:
        return {"review": self.review, "second": self.second, "compare": self.compare, "not_drawn": self.not_drawn}


def review_queue(
    lines: Iterable[Line],
    flags: Mapping[str, frozenset[str]] | None = None,
    settings: LibrarySettings = _USUAL,
) -> list[Turn]:
    """The sessions that wait for a reviewer and are drawn, the first to review first.

    lines: all sessions of the library, since those that are accepted tell whom to trust. flags: the words of the flags
    in force by session id.
    """
    return _split(list(lines), flags or {}, settings)[0]


def queue_of(store: Store) -> list[Turn]:
    """The queue of a library. Raises what `Store.search` and `read_settings` raise."""
    return list(queues_of(store, "").review)


def queues_of(store: Store, person: str) -> Queues:
    """Every queue of a library for one person. Raises what `Store.search` and `read_settings` raise."""
    settings = read_settings(store.root)
    flags: dict[str, frozenset[str]] = defaultdict(frozenset)
    for word in BAD_FLAGS:
        for line in store.search(Wanted(flag=word)):
            flags[line.id] |= {word}
    lines = {line.id: line for line in store.search()}
    drawn_turns, rest = _split(list(lines.values()), flags, settings)
    double = [
        line.id
        for line in lines.values()
        if line.review is not Review.UNLABELLED and is_double_labelled(line.id, settings.double_label_share)
    ]
    readings = marks(store, double)
    wanted = [one for one in double if readings.get(one, _NONE).stage is not Stage.COMPARED]
    own = labellers(store, [one for one in wanted if one not in readings])
    second = [
        turn
        for session_id in wanted
        if (turn := _second_turn(session_id, readings.get(session_id), person, own.get(session_id, frozenset())))
    ]
    compare = [
        Turn(mark.session_id, _open_words(mark), second=mark.person)
        for mark in readings.values()
        if mark.stage is Stage.TO_COMPARE and mark.session_id in lines
    ]
    turns = (*drawn_turns, *second, *compare, *rest)
    return Queues(
        tuple(drawn_turns),
        tuple(sorted(second, key=lambda turn: (not turn.second, drawn(turn.session_id, "double")))),
        tuple(sorted(compare, key=lambda turn: drawn(turn.session_id, "double"))),
        tuple(rest),
        {turn.session_id: lines[turn.session_id] for turn in turns},
    )


def accepted_hours(lines: Iterable[Line]) -> dict[tuple[str, str], float]:
    """(player, game) -> hours accepted; 0 for everybody else."""
    hours: dict[tuple[str, str], float] = defaultdict(float)
    for line in lines:
        if line.review is Review.ACCEPTED:
            hours[line.player, line.game] += line.duration_s / 3600
    return hours


def sampled_share(accepted_h: float, settings: LibrarySettings = _USUAL) -> float:
    """How many of a contributor's sessions are reviewed, in [least_share, 1]: all at first, half at `trusted_h`."""
    return max(settings.least_share, settings.trusted_h / (settings.trusted_h + max(accepted_h, 0.0)))


def is_double_labelled(session_id: str, share: float) -> bool:
    """Whether two people are to label it; share: `LibrarySettings.double_label_share`."""
    return drawn(session_id, "double") < share


def drawn(session_id: str, purpose: str) -> float:
    """A number in [0, 1) that follows from the id and what it is drawn for, evenly spread and always the same."""
    digest = hashlib.sha256(f"{purpose} {session_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


_BAD, _FLAGGED, _DOUBTFUL, _SAMPLED = range(4)
_NONE = Mark("", "", Stage.READING, 0)


def _split(
    lines: list[Line] | list[SessionSummary], flags: Mapping[str, frozenset[str]], settings: LibrarySettings
) -> tuple[list[Turn], list[Turn]]:
    """What waits and is drawn, in order, and what waits and is not."""
    accepted_h = accepted_hours(lines)
    turns: list[tuple[tuple[int, float, str], Turn]] = []
    rest: list[tuple[float, Turn]] = []
    for line in lines:
        if line.review not in WAITING:
            continue
        draw = drawn(line.id, "review")
        wrong = _wrong(line, flags.get(line.id, frozenset()))
        if wrong:
            turns.append(((wrong[0], draw, line.id), Turn(line.id, wrong[1])))
            continue
        hours = accepted_h.get((line.player, line.game), 0.0)
        share = sampled_share(hours, settings)
        known = f"{hours:.1f} h of {line.player} accepted in {line.game}"
        if draw < share:
            turns.append(((_SAMPLED, draw / share, line.id), Turn(line.id, f"sampled: {known}", share)))
        else:
            rest.append((draw, Turn(line.id, f"not sampled: {known}", share)))
    in_order = [turn for _, turn in sorted(turns, key=lambda entry: entry[0])]
    return in_order, [turn for _, turn in sorted(rest, key=lambda entry: (entry[0], entry[1].session_id))]


def _second_turn(session_id: str, mark: Mark | None, person: str, own: frozenset[str]) -> Turn | None:
    """What this person may read a second time; None where it is somebody else's, or their own."""
    if mark is None:
        return None if person in own else Turn(session_id, "drawn for a second reading")
    if mark.stage is Stage.READING and mark.person == person:
        return Turn(session_id, "you have begun to read it", second=person)
    return None


def _open_words(mark: Mark) -> str:
    count = f"{mark.open_spans} span{'s' * (mark.open_spans != 1)}"
    return f"read by {mark.person}, {count} to settle"


def _wrong(line: Line, flags: frozenset[str]) -> tuple[int, str] | None:
    """How urgent a session that looks wrong is, and why; None for any other."""
    if line.grade == Grade.BAD.value:
        return _BAD, "the recording is bad"
    bad = sorted(flags & BAD_FLAGS)
    if bad:
        return _FLAGGED, f"flagged: {', '.join(bad)}"
    return (_DOUBTFUL, "the recording has faults") if line.grade == Grade.USABLE.value else None
