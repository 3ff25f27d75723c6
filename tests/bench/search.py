"""A large library's list: filters and full-text search over ten thousand sessions and a million spans."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from db.labelling.labels import Review, new_id
from db.library import textindex
from db.library.catalogue import NOBODY, Wanted
from db.library.facets import read_facets, read_marks
from db.library.labelindex import searched_labels
from db.library.listing import Order, count_choices, list_sessions, read_lines
from db.library.statistics import progress
from db.library.tables import LabelRow, SessionRow
from db.store import Store

SESSIONS, SPANS = 10_000, 1_000_000
VERBS = [
    "shoot",
    "collect",
    "open",
    "avoid",
    "follow",
    "enter",
    "leave",
    "jump",
    "climb",
    "push",
    "pull",
    "wait",
    "hide",
    "fight",
    "explore",
]
THINGS = [
    "medkit",
    "door",
    "enemy",
    "ladder",
    "box",
    "bridge",
    "key",
    "torch",
    "river",
    "wall",
    "薬",
    "扉",
    "敵",
    "医疗包",
    "敌人",
]
_AT_ONCE = 20_000
_SEEN = 60


def measure(sessions: int = SESSIONS, spans: int = SPANS, rounds: int = 15) -> dict[str, Any]:
    """Milliseconds (median, worst) of each question, and of one pass over the sessions' bare ids as the reference."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "library") as store:
        _fill(store, sessions, spans)
        game, many = (
            ("game 3", "game 4"),
            Wanted(game="game 3", review=(Review.ACCEPTED, Review.LABELLED), text="shoot"),
        )
        questions: dict[str, Callable[[], Any]] = {
            "reference: all ids": lambda: _ids(store),
            "all sessions": lambda: _list(store, Wanted()),
            **{f"by {order.value}": lambda order=order: _list(store, Wanted(), order) for order in Order},
            "two games, one review state": lambda: _list(store, Wanted(game=game, review=Review.ACCEPTED)),
            "a flag": lambda: _list(store, Wanted(flag="menu")),
            "a frequent flag": lambda: _list(store, Wanted(flag="idle")),
            "assigned to nobody": lambda: _list(store, Wanted(assignee=NOBODY)),
            "a month of good ones": lambda: _list(
                store, Wanted(grade="good", since=_FIRST, until=_FIRST + timedelta(days=30))
            ),
            "a word in few labels": lambda: _list(store, Wanted(text="unmistakable")),
            "three words": lambda: _list(store, Wanted(text="open bridge 77")),
            "a word in many labels": lambda: _list(store, Wanted(text="shoot")),
            "a word in nearly all labels": lambda: _list(store, Wanted(text="the")),
            "two words in many": lambda: _list(store, Wanted(text="the shoot")),
            "the beginning of many words": lambda: _list(store, Wanted(text="s")) + _list(store, Wanted(text="1")),
            "two Chinese characters": lambda: _list(store, Wanted(text="敌人")),
            "games, states, a word, by size": lambda: _list(store, many, Order.SIZE),
            "600 lines with their marks": lambda: _lines(store),
            "what can be filtered by": lambda: [read_facets(store)],
            "progress of all games": lambda: progress(store),
            **{
                f"choices of {facet}": lambda facet=facet: list(count_choices(store, Wanted(), facet))
                for facet in ("game", "player", "review", "grade", "flag", "tag", "assignee")
            },
            "choices of flag beside a word": lambda: list(count_choices(store, Wanted(text="shoot"), "flag")),
        }
        rows = {"sessions, spans": [sessions, spans]}
        for name, ask in questions.items():
            times_ms = []
            for _ in range(rounds):
                before = time.perf_counter()
                count = len(ask())
                times_ms.append((time.perf_counter() - before) * 1000)
            rows[f"{name} ({count} found), ms"] = [round(statistics.median(times_ms), 1), round(max(times_ms), 1)]
    return rows


_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def _list(store: Store, wanted: Wanted, order: Order = Order.DATE) -> list[str]:
    """What a window waits for: the ids in order, and the lines of the first that are seen."""
    ids = list_sessions(store, wanted, order).ids
    assert len(read_lines(store, ids[:_SEEN])) == min(len(ids), _SEEN)
    return ids


def _lines(store: Store) -> list[Any]:
    ids = list_sessions(store, Wanted()).ids[-600:]
    read_marks(store, ids)
    return list(read_lines(store, ids))


def _ids(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.execute(text("SELECT id FROM session")).scalars())


def _fill(store: Store, sessions: int, spans: int) -> None:
    dice = random.Random(11)
    ids = [new_id() for _ in range(sessions)]
    reviews, grades = [review.value for review in Review], ["good", "usable", "bad"]
    lines = [
        {
            "id": session_id, "group_id": f"g{i // 3}", "game": f"game {i % 20}", "player": f"player {i % 50}",
            "started_at": _FIRST + timedelta(minutes=37 * i), "duration_ns": dice.randrange(10, 3600) * 10**9,
            "frames": 10_000, "width_px": 1280, "height_px": 720, "rate_hz": 30.0, "bytes": 10**8, "state": "complete",
            "end_reason": "stopped", "grade": dice.choice(grades), "verdict": '{"grade": "good", "rules": []}',
            "review": dice.choice(reviews), "revision": 1, "verified_at": None, "trashed_at": None,
        }
        for i, session_id in enumerate(ids)
    ]  # fmt: skip
    with store.writing() as connection:
        connection.execute(insert(SessionRow), lines)
        for first in range(0, spans, _AT_ONCE):
            labels = [_label(number, dice, ids) for number in range(first + 1, min(first + _AT_ONCE, spans) + 1)]
            connection.execute(insert(LabelRow), labels)
        textindex.refill(connection, searched_labels(connection))


def _label(number: int, dice: random.Random, ids: list[str]) -> dict[str, Any]:
    kind, value = "instruction", f"{dice.choice(VERBS)} the {dice.choice(THINGS)} {dice.randrange(200)}"
    if number % 10 == 0:
        kind, value = "flag", dice.choice(["idle", "loading", "cutscene"]) if number % 1000 else "menu"
    if number % 100_000 == 1:
        value = "unmistakable"
    start = dice.randrange(9000)
    return {
        "id": number, "entity_id": f"{number:036}", "edit_id": f"{number:036}", "session_id": ids[number % len(ids)],
        "kind": kind, "start": start, "stop": start + 100, "value": value, "author": "ann", "source": "person",
        "suggested": False, "at": _FIRST,
    }  # fmt: skip
