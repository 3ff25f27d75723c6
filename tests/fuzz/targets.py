"""What is fuzzed: each takes any bytes, and raises only where the parser broke its word."""

from __future__ import annotations

import io
import itertools
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pyarrow
import pyarrow.parquet

from db.errors import BadArgument, BadFile
from db.formats import openp2p, owamcap, vpt
from db.formats.account import START_NS, Account
from db.formats.format import Asked
from db.formats.frames import reading as frames
from db.formats.lerobot import layout
from db.formats.lerobot.dataset import Dataset
from db.formats.lerobot.reading import read_account as read_episode
from db.formats.openp2p.encoding import frame_bytes, metadata_bytes
from db.formats.openp2p.messages import Action, Event, Frame, Metadata, Text
from db.formats.owamcap.mcapreader import MAGIC
from db.formats.owamcap.mcapwriter import McapWriter
from db.formats.owamcap.messages import SCHEMAS
from db.formats.report import Report
from db.formats.steadyvideo import write_steady
from db.labelling.labels import LabelKind
from fuzz.sessionfiles import feed_playtape, playtape_seeds

SESSION = "00000000-0000-5000-8000-000000000000"


@dataclass(frozen=True)
class Target:
    feed: Callable[[bytes, Path], None]
    """(input, a folder to put files in)"""
    seeds: Callable[[], list[bytes]]
    longest: int = 4096
    """Bytes of an input."""


def feed_openp2p(data: bytes, folder: Path) -> None:
    file = folder / "annotation.proto"
    file.write_bytes(data)
    _read(lambda: openp2p.reading.read_account(file, file, SESSION, Asked("game"), Report("x", "imported")), file)


def feed_vpt(data: bytes, folder: Path) -> None:
    file = folder / "steps.jsonl"
    file.write_bytes(data)
    _read(lambda: vpt.reading.read_account(file, file, SESSION, Asked(), Report("x", "imported")), file)


def feed_owamcap(data: bytes, folder: Path) -> None:
    """The bytes of a file, or, after a zero, messages to be put into one: a line each, topic, time, JSON."""
    file = folder / "events.mcap"
    if data[:1] == b"\0":
        with file.open("wb") as out, McapWriter(out, "owa", "") as writer:
            for line in data[1:].split(b"\n"):
                topic, _, rest = line.partition(b" ")
                at, _, said = rest.partition(b" ")
                name = topic.decode("utf-8", "replace")
                t_ns = int(at) if at.isdigit() and len(at) < 20 else 0
                writer.write(name, SCHEMAS.get(name, ("x", b""))[0], b"{}", t_ns % 2**64, said)
    else:
        file.write_bytes(data)
    _make_video(folder / "film.mkv")
    _read(lambda: owamcap.reading.read_account(file, Asked("game"), Report("x", "imported")), folder)


def feed_frames(data: bytes, folder: Path) -> None:
    """The bytes of a CSV table, after a P those of a Parquet table, or after a zero its columns as JSON."""
    table = folder / ("frames.parquet" if data[:1] in (b"P", b"\0") else "frames.csv")
    if data[:1] == b"\0":
        if not _write_parquet(table, data[1:]):
            return
    else:
        table.write_bytes(data)
    video = folder / "film.mkv"
    _read(lambda: frames.read_account(table, video, SESSION, Asked("game"), Report("x", "imported")), table)


def feed_lerobot(data: bytes, folder: Path) -> None:
    """info.json, our own playtape.json, and the tables of tasks, episodes and frames: as JSON, or their own bytes from a P on."""
    root = folder / "dataset"
    names = (layout.INFO, layout.OWN, layout.TASKS, layout.place(layout.EPISODES, 0), layout.place(layout.DATA, 0))
    for name, part in zip(names, data.split(b"\0", 4), strict=False):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json" or part[:1] == b"P":
            path.write_bytes(part)
        elif not _write_parquet(path, part):
            return
    video = root / layout.place(layout.VIDEO, 0)
    video.parent.mkdir(parents=True, exist_ok=True)
    video.touch()

    def read() -> Iterator[Account]:
        dataset = Dataset.read(root)
        for episode in itertools.islice(dataset.episodes(), 3):
            yield read_episode(dataset, episode, Asked("game"), Report("x", "imported"))

    accounts = read()
    while not _read(lambda: next(accounts), root):
        pass


def _write_parquet(path: Path, columns: bytes) -> bool:
    """False where these are no columns."""
    try:
        said = json.loads(columns)
        pyarrow.parquet.write_table(pyarrow.table(said), path)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, pyarrow.ArrowException):
        return False
    return True


def _make_video(file: Path) -> None:
    """Six pictures, once."""
    if not file.exists():
        pictures = (av.VideoFrame.from_ndarray(np.full((32, 32, 3), 40 * i, np.uint8), "rgb24") for i in range(6))
        write_steady(file, pictures, (32, 32), 20, gop=2)


def _read(read: Callable[[], Account], file: Path) -> bool:
    """Reads it to its end. What is told must be in order; gaps must lie within the frames. What is refused must name the file.

    True where that was all.
    """
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
                assert last_ns <= event.t_ns
                last_ns = event.t_ns
                assert np.isfinite([event.x, event.y]).all()
                event.row()
        for label in account.labels():
            assert label.value.strip() or label.kind is LabelKind.TRIM
            assert label.stop > label.start >= 0
    except (BadFile, BadArgument) as error:
        message = str(error)
    except StopIteration:
        return True
    else:
        return False
    assert str(file) in message
    assert message.endswith(".")
    assert "\n" not in message
    return True


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


def owamcap_seeds() -> list[bytes]:
    t0 = 1_700_000_000_000_000_000
    said: list[tuple[int, str, dict[str, object]]] = [(t0 - 9, "keyboard/state", {"buttons": [0x57, 1]})]
    said += [(t0, "window", {"title": "Doom", "rect": [0, 0, 9, 9], "hWnd": 1})]
    for i in range(6):
        at = t0 + i * 50_000_000
        said.append((at, "screen", {"utc_ns": at, "media_ref": {"uri": "film.mkv", "pts_ns": i * 50_000_000}}))
        said.append((at + 9, "keyboard", {"event_type": "press", "vk": 0x41 + i, "timestamp": at + 9}))
        said.append((at + 9, "mouse", {"event_type": "click", "x": i, "y": 0, "button": "left", "pressed": i % 2 == 0}))
        if i % 2:
            raw = {"last_x": i, "last_y": -i, "us_flags": 0, "button_flags": 0x401, "button_data": 120}
            said.append((at + 11, "mouse/raw", raw))
    lines = [f"{topic} {t_ns} {json.dumps(told)}".encode() for t_ns, topic, told in said]
    return [_mcap(said), _mcap(said)[:-300], _mcap(said[:3]), b"\0" + b"\n".join(lines), b"\0" + b"\n".join(lines[2:5])]


def _mcap(messages: list[tuple[int, str, dict[str, object]]]) -> bytes:
    """Plain and without checksums, so that a fuzzer finds the content: half the messages in a chunk, half beside it."""
    topics = list(dict.fromkeys(topic for _, topic, _ in messages))
    channels = [struct.pack("<HH", i, 0) + _text(topic) + _text("json") + bytes(4) for i, topic in enumerate(topics)]
    told = [
        struct.pack("<HIQQ", topics.index(topic), 0, t, t) + json.dumps(said).encode() for t, topic, said in messages
    ]
    half = len(told) // 2
    records = b"".join([_record(4, channel) for channel in channels] + [_record(5, message) for message in told[:half]])
    chunk = struct.pack("<QQQI", 0, 0, len(records), 0) + _text("") + struct.pack("<Q", len(records)) + records
    spans = [["gap", messages[0][0], messages[-1][0], "lost"], ["instruction", messages[0][0], 2**61, "go"]]
    spans += [["actor", messages[1][0], messages[-1][0], "1"], ["found", messages[1][0], messages[1][0], "KEY_A"]]
    known = {
        "playtape": {
            "game": "doom",
            "group": "g",
            "lasts_ns": "333000000",
            "actors": json.dumps([["person", "bob"], ["model", "m"]]),
        },
        "playtape/spans": {str(i): json.dumps(x) for i, x in enumerate(spans)},
    }
    whole = [_record(1, _text("owa") + _text("")), _record(6, chunk), *(_record(5, message) for message in told[half:])]
    for name, values in known.items():
        texts = b"".join(_text(key) + _text(value) for key, value in values.items())
        whole.append(_record(0x0C, _text(name) + struct.pack("<I", len(texts)) + texts))
    return MAGIC + b"".join(whole) + _record(0x0F, bytes(4)) + _record(2, bytes(20)) + MAGIC


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<BQ", kind, len(content)) + content


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text.encode())) + text.encode()


def frames_seeds() -> list[bytes]:
    columns = {
        "frame": [0, 1, 2, 3], "t_s": [0.0, 0.05, 0.1, 0.15], "known": [1, 1, 0, 1], "used": [1, 1, 1, 0],
        "instruction": ["go", "go", "", "stop"], "flags": ["menu|idle", "menu", "", ""], "dx": [0.0, 1.5, 0.0, -2.0],
        "scroll_y": [0.0, 1.0, 0.0, 0.0], "KEY_W": [0, 1, 1, 0], "KEY_W.presses": [0, 2, 0, 1], "BTN_LEFT": [0, 1, 0, 1],
        "reward": ["a", "b", None, "c"], "actor": ["person", "model", "", "person+script"],
    }  # fmt: skip
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    few = {"t_s": [1.5, 2.5], "KEY_A": [True, False]}
    tables = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(few), tables, compression="none")
    said = [b"\0" + json.dumps(told).encode() for told in (columns, few)]
    return ["\r\n".join(rows).encode(), b"t_s,KEY_W\n0,true\n1,false\n", tables.getvalue(), *said]


def lerobot_seeds() -> list[bytes]:
    info = layout.info(layout.features((32, 32), 20, (17, 272)), 20, 2, 6, 2)
    own = {"episodes": [{"game": "doom", "player": "bob", "group": "g", "started_at": "2026-11-30T12:00:00+00:00"}]}
    own["episodes"][0]["actors"] = [["person", "bob"], ["model", "m"]]
    tasks = {"task_index": [0, 1], "task": ["go", "stop"]}
    prefix = f"videos/{layout.PICTURES}/"
    episodes = {
        "episode_index": [0, 1], "length": [4, 2], "data/chunk_index": [0, 0], "data/file_index": [0, 0],
        prefix + "chunk_index": [0, 0], prefix + "file_index": [0, 0],
        prefix + "from_timestamp": [0.0, 0.2], prefix + "to_timestamp": [0.2, 0.3],
    }  # fmt: skip
    data = {
        "episode_index": [0, 0, 0, 0, 1, 1], "timestamp": [0.0, 0.05, 0.1, 0.15, 0.0, 0.05], "task_index": [0, 0, 1, 1, 0, 0], "actors": [1, 4, 0, 5, 1, 1],
        "action": [[float(i % 2), 0.0, i / 2, -1.0, 0.0, 0.0] for i in range(6)],
    }  # fmt: skip
    parts = [json.dumps(part).encode() for part in (info, own, tasks, episodes, data)]
    return [b"\0".join(parts), b"\0".join([parts[0], b"", *parts[2:]])]


TARGETS = {
    "openp2p": Target(feed_openp2p, openp2p_seeds),
    "vpt": Target(feed_vpt, vpt_seeds),
    "owamcap": Target(feed_owamcap, owamcap_seeds, 8192),
    "frames": Target(feed_frames, frames_seeds),
    "lerobot": Target(feed_lerobot, lerobot_seeds, 8192),
    "playtape": Target(feed_playtape, playtape_seeds, 24_576),
}
