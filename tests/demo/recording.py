"""Records groups of real play: the game in its window, a scripted player acting by injected input, the real recorder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.labelling.labels import Edit, LabelKind, Review
from db.recording.events import EventKind, Origin
from db.recording.reader import Recording
from db.store import Store
from demo.programs import Program
from demo.screens import Screen
from games.witness import Account, Change, Motion, changes_of, compare, motions_of, read_rows

READY_S = 60.0


@dataclass(frozen=True)
class Take:
    """One recorded group: its session and the game's own log of the same play."""

    session_id: str
    log: Path


@dataclass(frozen=True)
class Script:
    """Who plays what, for how long."""

    scenario: str
    actor: str
    seconds: float
    seed: int
    instructions: tuple[str, ...] = ()
    count: int = 0

    def arguments(self, display: str, log: Path) -> list[str]:
        given = ["--instructions", ",".join(self.instructions)] if self.instructions else []
        plain = {
            "scenario": self.scenario,
            "actor": self.actor,
            "seconds": self.seconds,
            "seed": self.seed,
            "count": self.count,
        }
        options = [part for name, value in plain.items() for part in (f"--{name}", str(value))]
        return ["games.doom", "--display", display, "--log", str(log), *options, *given]


def record(screen: Screen, script: Script, folder: Path, recorder: list[str]) -> Take:
    """Plays `script` and records all of it. `recorder` are the recorder's arguments but for the window.

    The recorder runs before the player acts and until after; the game stays open until the recorder has ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    env, errors = screen.env(), folder / "errors.log"
    with Program(script.arguments(screen.display, folder), env, errors, cwd=folder) as game:
        window = game.read("ready", READY_S)
        with Program([*recorder, "--window-id", str(window["window_id"])], env, errors) as recording:
            session_id = str(recording.read("session", READY_S)["session"])
            game.say("go")
            game.read("done", script.seconds + READY_S)
            recording.stop()
            recording.wait(READY_S)
    return Take(session_id, folder)


def label(store: Store, take: Take, author: str) -> int:
    """Turns the instructions that were given into instruction spans, and accepts the session. Returns how many spans.

    A span starts at the first frame after its instruction was given and ends where the next one starts, or where there is none.
    """
    clock = store.recording(take.session_id).clock
    rows = [row for row in read_rows(take.log / "instructions.jsonl") if row["kind"] == "instruction"]
    starts = [clock.index_at(row["t_ns"]) + 1 for row in rows] + [len(clock)]
    edits = [
        Edit(
            session_id=take.session_id,
            kind=LabelKind.INSTRUCTION,
            start=start,
            stop=min(stop, len(clock)),
            value=row["text"],
            author=author,
            source="script",
        )
        for row, start, stop in zip(rows, starts, starts[1:], strict=False)
        if row["text"] and start < min(stop, len(clock))
    ]
    store.commit(edits)
    store.set_review(take.session_id, Review.ACCEPTED, author, source="script")
    return len(edits)


def bear_witness(recording: Recording, log: Path) -> Account:
    """Holds what was recorded against the game engine's own account, tic by tic."""
    return compare(_changes(recording), _motions(recording), read_rows(log / "tics.jsonl"))


def against_ledger(recording: Recording, log: Path) -> dict[str, Any]:
    """Holds what was recorded against what the player injected: counts and sums of both."""
    injected = read_rows(log / "injections.jsonl")
    recorded, moved = _changes(recording), _motions(recording)
    wanted, sent = changes_of(injected), motions_of(injected)
    return {
        "injected_changes": len(wanted),
        "recorded_changes": len(recorded),
        "same_order": [(c.code, c.value) for c in recorded] == [(c.code, c.value) for c in wanted],
        "injected_motions": len(sent),
        "recorded_motions": len(moved),
        "injected_px": [sum(motion.dx for motion in sent), sum(motion.dy for motion in sent)],
        "recorded_px": [sum(motion.dx for motion in moved), sum(motion.dy for motion in moved)],
    }


def _changes(recording: Recording) -> list[Change]:
    rows = recording.events
    rows = rows[(rows["kind"] == EventKind.KEY) & (rows["origin"] == Origin.DEVICE)]
    return [Change(int(row["t_ns"]), int(row["code"]), int(row["value"])) for row in rows]


def _motions(recording: Recording) -> list[Motion]:
    rows = recording.events[recording.events["kind"] == EventKind.MOTION]
    return [Motion(int(row["t_ns"]), round(row["x"]), round(row["y"])) for row in rows]
