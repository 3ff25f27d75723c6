"""OWA's own packages read recordings, or write one. Run by the peers' own Python."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import av
import numpy as np
from mcap.stream_reader import StreamReader
from mcap_owa.highlevel import OWAMcapReader, OWAMcapWriter
from owa.msgs.desktop.keyboard import KeyboardEvent, KeyboardState
from owa.msgs.desktop.mouse import MouseEvent, RawMouseEvent
from owa.msgs.desktop.screen import ScreenCaptured
from owa.msgs.desktop.window import WindowInfo

T0 = 1_700_000_000_000_000_000


def read(folder: Path) -> dict:
    """Every message as OWA's own type, every picture from the video, and every checksum."""
    path = next(folder.rglob("*.mcap"))
    records = sum(1 for _ in StreamReader(path.open("rb"), validate_crcs=True).records)
    said: dict = {"version": importlib.metadata.version("mcap-owa-support"), "records": records, "keys": [], "luma": []}
    said |= {"buttons": [], "motion": [0, 0], "times": [], "wheel": []}
    with OWAMcapReader(path) as reader:
        said["topics"], said["messages"] = sorted(reader.topics), reader.message_count
        for message in reader.iter_messages():
            told = message.decoded
            if message.topic == "screen":
                said["times"].append(message.timestamp)
                said["luma"].append(float(told.resolve_relative_path(str(path)).to_rgb_array().mean()) / 255)
            elif message.topic == "keyboard":
                said["keys"].append([message.timestamp, told.vk, told.event_type])
            elif message.topic == "mouse/raw":
                said["motion"] = [said["motion"][0] + told.dx, said["motion"][1] + told.dy]
                if told.button_flags:
                    said["buttons"].append([message.timestamp, int(told.button_flags), told.button_data])
    return said


def write(folder: Path) -> dict:
    """As its desktop recorder does: the mouse told of twice, repeats, states once a second."""
    folder.mkdir()
    _film(folder / "film.mkv", 60)
    with OWAMcapWriter(folder / "theirs.mcap") as writer:

        def tell(message: object, topic: str, at_s: float) -> None:
            writer.write_message(message, topic=topic, timestamp=T0 + round(at_s * 1e9))

        tell(WindowInfo(title="Their game", rect=(0, 0, 64, 48), hWnd=7), "window", 0)
        for second in range(2):
            tell(KeyboardState(buttons=set()), "keyboard/state", second)
        for i in range(60):
            at = {"uri": "film.mkv", "pts_ns": round(i * 1e9 / 30)}
            tell(ScreenCaptured(utc_ns=T0 + round(i * 1e9 / 30), media_ref=at, shape=(64, 48)), "screen", i / 30)
            if 5 <= i < 20:
                tell(KeyboardEvent(event_type="press", vk=0x57), "keyboard", i / 30 + 0.01)
        tell(KeyboardEvent(event_type="release", vk=0x57), "keyboard", 20 / 30 + 0.01)
        tell(RawMouseEvent(last_x=5, last_y=-3), "mouse/raw", 1.01)
        tell(MouseEvent(event_type="move", x=9, y=9), "mouse", 1.01)
        left = RawMouseEvent.ButtonFlags
        tell(RawMouseEvent(last_x=0, last_y=0, button_flags=left.RI_MOUSE_LEFT_BUTTON_DOWN), "mouse/raw", 1.51)
        tell(RawMouseEvent(last_x=0, last_y=0, button_flags=left.RI_MOUSE_LEFT_BUTTON_UP), "mouse/raw", 1.71)
        tell(RawMouseEvent(last_x=0, last_y=0, button_flags=left.RI_MOUSE_WHEEL, button_data=65416), "mouse/raw", 1.81)
    return {"version": importlib.metadata.version("mcap-owa-support")}


def _film(path: Path, count: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(count):
            picture = np.full((48, 64, 3), 20 + 3 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    print(json.dumps({"read": read, "write": write}[sys.argv[1]](Path(sys.argv[2]))))
