"""Recordings of many hours in each format that comes in, made quickly: every picture is the same, and of 32x32."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from db.formats.lerobot import layout
from db.formats.openp2p.encoding import frame_bytes, metadata_bytes
from db.formats.openp2p.messages import Action, Event, Frame, Metadata
from db.formats.owamcap.mcapwriter import McapWriter
from db.formats.owamcap.messages import KEYBOARD, PROFILE, RAW, SCREEN, write
from db.formats.table import ROWS, write_table

RATE_HZ = 20
STEP_NS = 10**9 // RATE_HZ
_T0_NS = 1_700_000_000_000_000_000
_KEYS = ("KEY_W", "KEY_A", "KEY_S", "KEY_D", "KEY_SPACE", "BTN_LEFT", "BTN_RIGHT")
_PEAK = """
import json, sys
from pathlib import Path
from db.formats.format import Asked
from db.formats.registry import find_format
from db.formats.transfer import bring_in
from db.store import Store
name, source, library, deed = sys.argv[1:]
with Store.open(Path(library)) as store:
    (report,) = bring_in(store, find_format(name), [Path(source)], Asked("doom", "ann", dry_run=deed == "read"))
    assert report.outcome == "imported", report.error
    (peak,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]  # getrusage tells the parent's too
    print(json.dumps([report.frames, sum(report.kept.values()), int(peak.split()[1]) / 1024]))
"""


def weigh(folder: Path, name: str, hours: float, deed: str = "read") -> dict[str, Any]:
    """A process of its own reads a recording of so many hours, the memory it took. deed: "read" reads as an import does, but makes no
    session of it; "import" does.
    """
    source = folder / f"{name} {hours:g} {deed}"
    source.mkdir()
    count = round(hours * 3600 * RATE_HZ)
    _WRITERS[name](source, count)
    command = [sys.executable, "-P", "-c", _PEAK, name, str(source), f"{source} library", deed]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    frames, kept, peak_mb = json.loads(done.stdout)
    assert frames == count
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    return {"format": name, "hours": hours, "file_mb": round(size / 1e6), "kept": kept, "peak_mb": round(peak_mb)}


def write_openp2p(file: Path, count: int) -> None:
    with file.open("wb") as out:
        out.write(metadata_bytes(Metadata(id="x", user="u", rate_hz=RATE_HZ, env="g")))
        for j in range(count):
            t_ns = j * STEP_NS
            events = [Event("delta", max(t_ns - 30_000_000 + k * 1_000_000, 0), x=k, y=-k) for k in range(5)]
            if j and (j % 10) == 0:
                events.append(Event("key", t_ns - 1_000_000, "w", _is_down(j)))
            out.write(frame_bytes(Frame(t_ns, Action(True, ["w"] * _is_down(j), delta=(10, -10)), events=events)))


def _openp2p(folder: Path, count: int) -> None:
    write_openp2p(folder / "annotation.proto", count)
    _film(folder / "video.mp4", count)


def _vpt(folder: Path, count: int) -> None:
    with (folder / "play.jsonl").open("w") as out:
        for i in range(count):
            mouse = {"x": 640, "y": 360, "dx": i % 7, "dy": -1, "buttons": [], "newButtons": []}
            keys = ["key.keyboard.w"] * _is_down(i)
            step = {"mouse": mouse, "keyboard": {"keys": keys, "newKeys": [], "chars": ""}, "isGuiOpen": False}
            out.write(json.dumps(step | {"hotbar": i // 600 % 9, "milli": 1_650_000_000_000 + 50 * i}) + "\n")
    _film(folder / "play.mp4", count)


def _owamcap(folder: Path, count: int) -> None:
    with (folder / "play.mcap").open("wb") as file, McapWriter(file, PROFILE, "") as writer:
        for i in range(count):
            at_ns = _T0_NS + i * STEP_NS
            write(writer, SCREEN, at_ns, utc_ns=at_ns, media_ref={"uri": "play.mkv", "pts_ns": i * STEP_NS})
            for k in range(2):
                write(writer, RAW, at_ns + 9 + k, last_x=i % 7, last_y=-k, us_flags=0, button_flags=0, button_data=0)
            if i and i % 10 == 0:
                write(writer, KEYBOARD, at_ns + 20, event_type="press" if _is_down(i) else "release", vk=0x57)
    _film(folder / "play.mkv", count)


def _frames(folder: Path, count: int, ending: str) -> None:
    def pieces() -> Iterator[dict[str, list[Any]]]:
        for first in range(0, count, ROWS):
            rows = range(first, min(first + ROWS, count))
            piece: dict[str, list[Any]] = {"frame": list(rows), "t_s": [i / RATE_HZ for i in rows]}
            piece |= {"known": [int(i % 6000 > 50) for i in rows], "used": [1] * len(rows)}
            piece |= {
                "instruction": [f"go to place {i // 1200}" for i in rows],
                "flags": ["menu" * (i % 600 < 9) for i in rows],
            }
            piece |= {axis: [float(i % 7) for i in rows] for axis in ("dx", "dy")}
            yield piece | {key: [int(_is_down(i + 3 * k)) for i in rows] for k, key in enumerate(_KEYS)}

    write_table(folder / f"frames{ending}", pieces())
    _film(folder / "video.mkv", count)


def _lerobot(folder: Path, count: int) -> None:
    """As another tool may write it: one long episode."""
    import pyarrow
    import pyarrow.parquet

    names = [*_KEYS, *layout.MOTIONS]
    said = layout.info(layout.features((32, 32), RATE_HZ, []), RATE_HZ, 1, count, 1)
    said["features"]["action"] = {"dtype": "float32", "shape": [len(names)], "names": names}
    paths = [folder / layout.place(pattern, 0) for pattern in (layout.DATA, layout.EPISODES, layout.VIDEO)]
    for path in (*paths, folder / layout.INFO):
        path.parent.mkdir(parents=True, exist_ok=True)
    (folder / layout.INFO).write_text(json.dumps(said))
    pyarrow.parquet.write_table(pyarrow.table({"task_index": [0], "task": ["go"]}), folder / layout.TASKS)
    video = f"videos/{layout.PICTURES}/"
    row = {"episode_index": 0, "length": count, "data/chunk_index": 0, "data/file_index": 0, video + "chunk_index": 0}
    row |= {video + "file_index": 0, video + "from_timestamp": 0.0, video + "to_timestamp": count / RATE_HZ}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), paths[1])
    index = np.arange(count)
    vectors = np.stack([(index + 3 * k) // 10 % 2 for k in range(len(names))], axis=1).astype(np.float32)
    actions = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(vectors.reshape(-1)), len(names))
    columns = {"action": actions, "timestamp": (index / RATE_HZ).astype(np.float64)}
    columns |= {"episode_index": np.zeros(count, np.int64), "task_index": np.zeros(count, np.int64)}
    pyarrow.parquet.write_table(pyarrow.table(columns), paths[0], row_group_size=50_000)
    _film(paths[2], count)


def _is_down(i: int) -> bool:
    return i // 10 % 2 == 1


def _film(path: Path, count: int) -> None:
    """One encoded picture, told again and again."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE_HZ, options={"g": "1", "x264-params": "scenecut=0"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.max_b_frames = 0
        black = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        packets = [packet for frame in (black, black, None) for packet in stream.encode(frame)]
        content, step = bytes(packets[1]), packets[1].pts - packets[0].pts
        for i in range(count):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, packets[1].time_base
            packet.pts = packet.dts = i * step
            packet.is_keyframe = True
            out.mux(packet)


_WRITERS: dict[str, Callable[[Path, int], None]] = {
    "open-p2p": _openp2p,
    "vpt": _vpt,
    "owamcap": _owamcap,
    "frames": lambda folder, count: _frames(folder, count, ".csv"),
    "frames-parquet": lambda folder, count: _frames(folder, count, ".parquet"),
    "lerobot": _lerobot,
}
FORMATS = tuple(_WRITERS)
