"""What is fuzzed: each takes any bytes, and raises only where the parser broke its word."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from db.errors import BadArgument, BadFile
from db.formats import openp2p, vpt
from db.formats.account import START_NS, Account
from db.formats.format import Asked
from db.formats.openp2p.encoding import frame_bytes, metadata_bytes
from db.formats.openp2p.messages import Action, Event, Frame, Metadata, Text
from db.formats.report import Report

SESSION = "00000000-0000-5000-8000-000000000000"


@dataclass(frozen=True)
class Target:
    feed: Callable[[bytes, Path], None]
    """(input, a folder to put files in)"""
    seeds: Callable[[], list[bytes]]


def feed_openp2p(data: bytes, folder: Path) -> None:
    file = folder / "annotation.proto"
    file.write_bytes(data)
    _read(lambda: openp2p.reading.read_account(file, file, SESSION, Asked("game"), Report("x", "imported")), file)


def feed_vpt(data: bytes, folder: Path) -> None:
    file = folder / "steps.jsonl"
    file.write_bytes(data)
    _read(lambda: vpt.reading.read_account(file, file, SESSION, Asked(), Report("x", "imported")), file)


def _read(read: Callable[[], Account], file: Path) -> None:
    """Reads it to its end. What is told must be in order and within the frames; what is refused must name the file."""
    try:
        account = read()
        assert account.offsets_ns is not None
        assert (np.diff(account.offsets_ns) >= 0).all()
        edges = START_NS + account.offsets_ns + np.arange(len(account.offsets_ns)) * 1_000_000
        edges = np.append(edges, edges[-1] + 50_000_000)
        for gap in account.gaps(edges):
            assert edges[0] <= gap.start_ns < gap.stop_ns <= edges[-1]
        last_ns = int(edges[0])
        for events in account.events(edges):
            for event in events:
                assert last_ns <= event.t_ns < edges[-1]
                last_ns = event.t_ns
                assert np.isfinite([event.x, event.y]).all()
                event.row()
        for label in account.labels():
            assert label.value.strip()
            assert label.stop > label.start >= 0
    except (BadFile, BadArgument) as error:
        message = str(error)
    else:
        return
    assert str(file) in message
    assert message.endswith(".")


def openp2p_seeds() -> list[bytes]:
    action = Action(True, ["w", "LeftShift", "Nonsense"], ["0", "1"], ["south", "left_stick"], (3, -4), (0, 1))
    events = [
        Event("key", 60_000_000, "w", True), Event("button", 70_000_000, "Left", True), Event("delta", 71_000_000, x=3, y=-4),
        Event("wheel", 72_000_000, y=1), Event("pad", 73_000_000, "left_trigger", True, simulated=True),
    ]  # fmt: skip
    frames = [
        Frame(10_000_000),
        Frame(60_000_000, action, Action(), [Text("go", "v", "p", 0.5)], events),
        Frame(110_000_000, Action(), action, [], events),
        Frame(160_000_000, action, action),
        Frame(210_000_000),
    ]
    said = metadata_bytes(
        Metadata("id", 1_700_000_000, "bob", 20, "doom", "sub", "group", "linux", "us", "Doom", (64, 48))
    )
    return [said + b"".join(map(frame_bytes, frames)), b"".join(map(frame_bytes, frames[:2])), said]


def vpt_seeds() -> list[bytes]:
    mouse = {"x": 640.0, "y": 360.0, "dx": 1.0, "dy": -2.5, "dwheel": 1.0, "buttons": [0], "newButtons": [0]}
    keyboard = {"keys": ["key.keyboard.w"], "newKeys": ["key.keyboard.w", "key.keyboard.2"], "chars": ""}
    steps = [
        {"mouse": mouse, "keyboard": keyboard, "hotbar": i % 3, "milli": 1_650_000_000_000 + 50 * i, "isGuiOpen": i > 1}
        for i in range(4)
    ]
    lines = [json.dumps(step).encode() + b"\n" for step in steps]
    return [b"".join(lines), lines[0], lines[0] + b"\n" + lines[1]]


TARGETS = {"openp2p": Target(feed_openp2p, openp2p_seeds), "vpt": Target(feed_vpt, vpt_seeds)}
