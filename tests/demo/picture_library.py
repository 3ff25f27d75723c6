"""A small library with one of everything, for the pictures of the documentation: real play, labels of every kind."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from db.clock import ClockAnchor
from db.labelling.labels import Edit, LabelKind, Review, new_id
from db.labelling.readings import source_of
from db.recording.actions import resolve
from db.recording.corrections import ImputedCorrection, KeyCorrection, MotionCorrection
from db.recording.events import EVENT_DTYPE, EventKind
from db.recording.expectation import Expectation, expectation_path, write_expectation
from db.recording.keys import CODES
from db.recording.surprise import Scale
from db.settings import FlagEntry, LibrarySettings, VocabularyEntry, write_settings
from db.specs import CaptureSpec
from db.store import Store
from demo.films import FRAME_NS, SIZE_PX, Film, play
from recordings import Take

MAPS = {
    "Freedoom Maze": "my_way_home",
    "Freedoom Arena": "deathmatch",
    "Freedoom Corridor": "deadly_corridor",
    "Freedoom Rockets": "predict_position",
}
TEXTS = (
    "go through the next door",
    "turn left at the wall",
    "shoot the soldier",
    "run back to the start",
    "take the armour",
    "look for the exit",
    "go round the corner to the right",
)
PLAYERS, LABELLERS, REVIEWER = ("ada", "ben", "chi"), ("ada", "dora"), "eve"
SECONDS_READER = "dora"
SAY, FLAG, TRIM, COMMENT = LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM, LabelKind.COMMENT
_FEW, _MANY = 150, 520
_LOST = (300, 400)
"""Frames whose keys are not in one of the recordings."""


@dataclass
class Shown:
    """The sessions that pictures are taken of, by what they show."""

    labelling: str = ""
    suggested: str = ""
    corrected: str = ""
    doubted: str = ""
    """A stretch of it was recorded without its keys, and an IDM has seen its pictures."""
    commented: str = ""
    compared: str = ""
    """`dora`'s second reading of it waits to be compared."""
    private: str = ""
    disputed: str = ""
    unlabelled: str = ""
    large: str = ""
    """With pictures so large that it is given a proxy."""


def build(root: Path, scratch: Path) -> Shown:
    """Fills a new library at `root`; the game's own files go to `scratch`."""
    scratch.mkdir(parents=True, exist_ok=True)
    with Store.open(root) as store:
        _rules(root)
        films = {game: play(name, 2, _FEW, scratch) for game, name in MAPS.items()}
        _queue(store, films)
        shown = _shown(store, scratch)
    for models, minutes in (("both", 1.5), ("idm", 0.3)):
        _train(root, models, minutes)
    return shown


def made(root: Path, scratch: Path) -> Shown:
    """What `build` makes at `root`, or made there before."""
    known = root / "shown.json"
    if known.is_file():
        return Shown(**json.loads(known.read_text(encoding="utf-8")))
    shown = build(root, scratch)
    known.write_text(json.dumps(asdict(shown)), encoding="utf-8")
    return shown


def record(store: Store, film: Film, game: str, player: str, days_ago: float, times_larger: int = 1) -> str:
    """A session of a film, as if it had been recorded so many days ago."""
    take = Take(
        times_ns=film.times_ns,
        events=film.events,
        game=game,
        player=player,
        size_px=(SIZE_PX[0] * times_larger, SIZE_PX[1] * times_larger),
        picture=lambda number: film.pictures[number].repeat(times_larger, 0).repeat(times_larger, 1),
        capture=CaptureSpec(rate_hz=1e9 / FRAME_NS, crf=26),
    )
    meta = take.meta()
    now = ClockAnchor.take()
    then_ns = int((datetime.now(UTC) - timedelta(days=days_ago)).timestamp() * 1e9)
    anchor = now.model_copy(update={"mono_ns": film.times_ns[0], "wall_ns": then_ns})
    meta = meta.model_copy(update={"anchor": anchor, "machine": {}})
    take.write(store.create_session(meta), meta)
    store.enter(meta.id)
    return meta.id


def say(session_id: str, author: str, *spans: tuple[LabelKind, int, int, str], **more: object) -> list[Edit]:
    """Edits that make these spans (kind, start, stop, value)."""
    return [
        Edit(session_id=session_id, kind=kind, start=start, stop=stop, value=value, author=author, **more)
        for kind, start, stop, value in spans
    ]


def tell(session_id: str, author: str, kind: LabelKind, value: str, **more: object) -> Edit:
    """An edit about the whole session."""
    return Edit(session_id=session_id, kind=kind, value=value, author=author, **more)


def _rules(root: Path) -> None:
    words = zip(TEXTS[:4], ("Shift+Q", "Shift+E", "Shift+T", "8"), strict=True)
    settings = LibrarySettings(
        no_self_accept=True,
        double_label_share=0.4,
        vocabulary=tuple(VocabularyEntry(text=text, key=key) for text, key in words),
        flags=(FlagEntry(word="lag", key="9"), FlagEntry(word="photo mode", key="Shift+K")),
    )
    write_settings(root, settings)


def _queue(store: Store, films: dict[str, Film]) -> None:
    """Two dozen sessions on every way from recorded to accepted, some of them read twice."""
    rnd = random.Random(7)
    for number in range(22):
        game = list(MAPS)[number % 4]
        player = PLAYERS[number % 3]
        session_id = record(store, films[game], game, player, 30 - 1.2 * number)
        if number >= 19:
            continue
        author = LABELLERS[number % 2]
        first = _labels(session_id, author, rnd, timedelta(days=28 - 1.2 * number))
        store.commit(first)
        submitted = tell(session_id, author, LabelKind.REVIEW, Review.LABELLED.value, at=first[-1].at)
        store.commit([submitted])
        if number % 2 == 0 and number < 16:
            store.commit(_again(first, rnd))
            stage = Review.LABELLED if number > 4 else Review.ACCEPTED
            own = {"source": source_of(SECONDS_READER), "suggested": True}
            store.commit([tell(session_id, SECONDS_READER, LabelKind.REVIEW, Review.LABELLED.value, **own)])
            if stage is Review.ACCEPTED:
                store.commit([tell(session_id, SECONDS_READER, LabelKind.REVIEW, stage.value, **own)])
        if number < 9:
            store.set_review(session_id, Review.ACCEPTED, REVIEWER)
        elif number == 11:
            store.commit(say(session_id, author, (FLAG, 30, 55, "bad capture")))
        elif number == 13:
            store.set_review(session_id, Review.REJECTED, REVIEWER)
        if number % 3 == 0:
            store.commit([tell(session_id, author, LabelKind.ASSIGNEE, LABELLERS[number % 2])])
        if number % 5 == 0:
            store.commit([tell(session_id, author, LabelKind.TAG, "night run" if number % 2 else "tutorial")])
    for days_ago in (40, 44):
        store.trash(record(store, films["Freedoom Arena"], "Freedoom Arena", "ben", days_ago))


def _labels(session_id: str, author: str, rnd: random.Random, ago: timedelta) -> list[Edit]:
    """Instructions end to end and some flags, written one after the other."""
    at, found, start = datetime.now(UTC) - ago, [], rnd.randint(2, 8)
    while start < _FEW - 20:
        stop = min(start + rnd.randint(16, 42), _FEW)
        at += timedelta(seconds=rnd.randint(5, 22))
        found += say(session_id, author, (SAY, start, stop, rnd.choice(TEXTS)), at=at)
        start = stop + rnd.randint(0, 3)
    for word, first in (("idle", 20), ("menu", 70), ("loading", 110)):
        if rnd.random() < 0.75:
            at += timedelta(seconds=rnd.randint(2, 6))
            found += say(session_id, author, (FLAG, first, first + rnd.randint(10, 28), word), at=at)
    return found


def _again(first: list[Edit], rnd: random.Random) -> list[Edit]:
    """Another person's reading of the same: mostly alike, a little later, now and then in other words."""
    found = []
    for edit in first:
        assert edit.start is not None
        assert edit.stop is not None
        said = edit.value
        if edit.kind is SAY and rnd.random() < 0.2:
            said = rnd.choice(TEXTS)
        start = min(max(edit.start + rnd.randint(-3, 3), 0), edit.stop - 4)
        own = {"id": new_id(), "entity_id": new_id(), "author": SECONDS_READER, "source": source_of(SECONDS_READER)}
        more = {"suggested": True, "start": start, "stop": edit.stop - rnd.randint(0, 3), "value": said}
        found.append(edit.model_copy(update=own | more))
    return found


def _train(root: Path, models: str, minutes: float) -> None:
    """By the real trainer, briefly: what is shown is that it trains, not how well."""
    wish = ["--models", models, "--minutes", f"{minutes:g}"]
    subprocess.run([sys.executable, "-P", "-m", "trainer", "pipeline", "--library", str(root), *wish], check=True)


def _shown(store: Store, scratch: Path) -> Shown:
    maze = play("my_way_home", 6, _MANY, scratch, menu=60, idle=110)
    arena = play("deathmatch", 2, _MANY, scratch)
    count = len(maze.pictures)
    shown = Shown()
    walk = [(SAY, 60, 150, TEXTS[0]), (SAY, 150, 232, TEXTS[1]), (SAY, 232, 330, TEXTS[6]), (SAY, 345, 430, TEXTS[5])]

    shown.unlabelled = record(store, arena, "Freedoom Arena", "chi", 0.4)
    shown.labelling = record(store, maze, "Freedoom Maze", "ada", 0.1)
    said = say(shown.labelling, "ada", *walk, (FLAG, 0, 58, "menu"), (FLAG, 590, count, "idle"), (TRIM, 0, 60, ""))
    said += [
        tell(shown.labelling, "ada", LabelKind.NOTE, "First try of the maze; the left half is new."),
        tell(shown.labelling, "ada", LabelKind.TAG, "tutorial"),
        tell(shown.labelling, "eve", LabelKind.ASSIGNEE, "ada"),
    ]
    store.commit(said)

    shown.suggested = record(store, maze, "Freedoom Maze", "ben", 0.2)
    store.commit(say(shown.suggested, "ada", walk[0]))
    seer = {"source": "run:vision-seer-7b", "suggested": True}
    store.commit(say(shown.suggested, "ada", *walk[1:], (SAY, 440, 575, "wait at the window"), **seer))
    story = "The player clicks through the menu, walks from room to room looking for a way out, and stands still at the end."
    store.commit([tell(shown.suggested, "ada", LabelKind.NOTE, story, **seer)])
    rules = {"source": "run:rules-1", "suggested": True}
    store.commit(
        say(shown.suggested, "ada", (FLAG, 0, 58, "menu"), (FLAG, 588, count, "idle"), (TRIM, 588, count, ""), **rules)
    )
    imputed = ImputedCorrection(
        confidence=0.87, keys=(KeyCorrection(code=CODES["KEY_W"], holds_ns=_holds(maze, (96, 118), (124, 140))),)
    )
    idm = {"source": "run:idm-20261118", "suggested": True}
    store.commit(say(shown.suggested, "ada", (LabelKind.ACTION, 90, 145, imputed.model_dump_json()), **idm))

    shown.corrected = record(store, arena, "Freedoom Arena", "ada", 0.6)
    held = KeyCorrection(code=CODES["KEY_W"], holds_ns=_holds(arena, (124, 150), (158, 190)))
    still = MotionCorrection(scale=(0.0, 0.0))
    store.commit(
        say(
            shown.corrected,
            "ada",
            (SAY, 20, 120, TEXTS[2]),
            (LabelKind.ACTION, 120, 196, held.model_dump_json()),
            (LabelKind.ACTION, 230, 290, still.model_dump_json()),
        )
    )

    shown.doubted = _doubted(store, maze)

    shown.commented = record(store, arena, "Freedoom Arena", "ben", 1.1)
    store.commit(
        say(shown.commented, "ada", (SAY, 15, 120, TEXTS[2]), (SAY, 130, 300, TEXTS[4]), (FLAG, 310, 360, "menu"))
    )
    store.commit(
        say(
            shown.commented,
            REVIEWER,
            (COMMENT, 118, 131, "The turn away from the door belongs to what comes next."),
            (COMMENT, 310, 330, "Is this the menu, or a loading screen?"),
        )
    )
    store.set_review(shown.commented, Review.LABELLED, "ada")
    store.set_review(shown.commented, Review.REJECTED, REVIEWER)

    shown.compared = record(store, maze, "Freedoom Maze", "chi", 1.4)
    first = say(shown.compared, "ada", *walk, (FLAG, 0, 58, "menu"), (FLAG, 590, count, "idle"))
    store.commit(first)
    store.set_review(shown.compared, Review.LABELLED, "ada")
    own = {"source": source_of(SECONDS_READER), "suggested": True}
    heard = [(SAY, 60, 152, TEXTS[0]), (SAY, 160, 232, "turn left"), (SAY, 232, 328, TEXTS[6]), (FLAG, 0, 60, "menu")]
    store.commit(say(shown.compared, SECONDS_READER, *heard, (FLAG, 436, 470, "off-task"), **own))
    store.commit([tell(shown.compared, SECONDS_READER, LabelKind.REVIEW, Review.LABELLED.value, **own)])

    shown.private = record(store, arena, "Freedoom Arena", "ada", 1.8)
    store.commit(
        say(shown.private, "ada", (SAY, 20, 160, TEXTS[2]), (FLAG, 200, 262, "private"), (FLAG, 400, 431, "private"))
    )

    shown.disputed = record(store, maze, "Freedoom Maze", "ada", 2.2)
    begun = say(shown.disputed, "ada", *walk[:2])
    store.commit(begun)
    store.commit([begun[0].revised("ada", value="go through the door on the left")])
    store.merge(shown.disputed, [begun[0].revised("ben", value="leave the first room", stop=140)])

    shown.large = record(store, play("deathmatch", 3, 200, scratch), "Freedoom Arena", "chi", 2.9, times_larger=3)
    return shown


def _holds(film: Film, *frames: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    times = film.times_ns
    return tuple((times[start], times[stop]) for start, stop in frames)


def _doubted(store: Store, film: Film) -> str:
    """A recording that lost its keys for a while, and what an IDM says of it: what was done, more or less surely."""
    first_ns, last_ns = film.times_ns[_LOST[0]], film.times_ns[_LOST[1]]
    kept = [e for e in film.events if not (first_ns <= e.t_ns < last_ns and e.kind is EventKind.KEY and e.value)]
    session_id = record(store, replace(film, events=kept), "Freedoom Maze", "ben", 0.8)
    recording = store.recording(session_id)
    clock = recording.clock
    whole = replace(recording.facts, events=np.array([e.row() for e in film.events], EVENT_DTYPE))
    ticks = clock.ticks(15.0)
    track = resolve(whole, np.append(clock.t_ns[ticks], np.int64(clock.t_stop_ns)))
    rng = np.random.default_rng(2)
    sure = 1 - rng.beta(1.2, 22, track.active.shape)
    space = np.array([-60.0, -20, -4, -0.5, 0.5, 4, 20, 60])
    values = np.array([-90.0, -35, -10, -2, 0, 2, 10, 35, 90])
    shares = []
    for axis in range(2):
        near = np.exp(-np.abs(np.arange(9) - np.digitize(track.motion[:, axis], space)[:, None]) / 0.6)
        shares.append((near / near.sum(axis=1, keepdims=True)).astype(np.float16))
    said = Expectation(
        model="idm-20261118", ticks=ticks, edges_ns=track.edges_ns, codes=track.codes,
        probability=np.where(track.active, sure, 1 - sure).astype(np.float16), dx=shares[0], dy=shares[1],
        dx_edges=space, dy_edges=space, dx_values=values, dy_values=values, said=np.ones(len(ticks), np.bool_),
        scale=Scale(0.6, 1.6),
    )  # fmt: skip
    write_expectation(expectation_path(store.cache_dir, session_id, recording.meta.revision, "0" * 16), said)
    return session_id
