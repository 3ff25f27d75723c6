"""`resolve` on a long session, as a ratio to one numpy sort of the same events."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from db.recording.actions import InputFacts, resolve
from db.recording.events import EVENT_DTYPE, Actor, ActorKind, EventKind


def measure(events: int = 500_000, frames: int = 54_000) -> dict[str, Any]:
    """Half an hour at 30 fps with dense motion and a tenth of key events over 12 keys."""
    dice = np.random.default_rng(0)
    rows = np.zeros(events, EVENT_DTYPE)
    rows["t_ns"] = np.sort(dice.integers(0, frames * 33_333_333, events))
    rows["kind"] = np.where(dice.random(events) < 0.1, EventKind.KEY, EventKind.MOTION)
    rows["code"], rows["value"] = dice.integers(16, 28, events), dice.integers(0, 2, events)
    rows["x"] = dice.integers(-20, 20, events)
    edges = np.arange(frames + 1, dtype=np.int64) * 33_333_333
    facts = InputFacts(rows, [], (Actor(kind=ActorKind.PERSON),), 0, int(edges[-1]))
    began = time.perf_counter()
    np.sort(rows["t_ns"][::-1], kind="stable")
    reference_s = time.perf_counter() - began
    began = time.perf_counter()
    resolve(facts, edges)
    took_s = time.perf_counter() - began
    return {
        "events": events,
        "intervals": frames,
        "ms": round(took_s * 1000),
        "ratio to one sort": round(took_s / reference_s, 1),
    }
