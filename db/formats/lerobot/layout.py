"""What lies where in a LeRobot dataset of version 3 (https://huggingface.co/docs/lerobot/lerobot-dataset-v3).

<dataset>/meta/info.json                                  version, rate, features, how many of everything, and where the files lie
<dataset>/meta/stats.json                                 minimum, maximum, mean and more of every feature
<dataset>/meta/tasks.parquet                              the text of each task and its number; the text is pandas' index
<dataset>/meta/episodes/chunk-000/file-000.parquet        a row per episode: length, tasks, statistics, and in which file what lies
<dataset>/data/chunk-000/file-000.parquet                 a row per frame: action, timestamp, numbers
<dataset>/videos/<feature>/chunk-000/file-000.mp4         the pictures, one episode after the other

A rate is a whole number of hertz. Frame i of an episode has the timestamp i / rate, a float32, and the picture at that time after
the episode's `from_timestamp` in its video. LeRobot refuses a picture that is more than 0.1 ms away: a float32 is coarser than that
after 2048 s, so no episode may last so long.

Ours, beside these: `meta/playtape.json` says which session each episode is of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from db.errors import BadArgument, BadFile
from db.files import check_near
from db.recording.keys import REL_HWHEEL, REL_WHEEL, REL_X, REL_Y, name, parse
from db.specs import SizePx

VERSION = "v3.0"
INFO, STATS, TASKS, OWN = "meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/playtape.json"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
CHUNK = 1000
"""Files of one folder."""
DATA_MB, VIDEO_MB = 100, 200
PICTURES, ACTION, ACTORS = "observation.images.screen", "action", "actors"
LONGEST_S, SHORTEST_S = 1800.0, 0.5
"""Of an episode. A statistic needs two frames at least."""
MOTIONS = {"REL_X": REL_X, "REL_Y": REL_Y, "REL_HWHEEL": REL_HWHEEL, "REL_WHEEL": REL_WHEEL}
"""Names of the four sums that end an action vector, as evdev has them: the mouse's counts right and down, notches right and up."""
_MOTION_WORDS = {"dx": "REL_X", "dy": "REL_Y", "scroll_x": "REL_HWHEEL", "scroll_y": "REL_WHEEL"}
_FIELD = re.compile(r"\{(\w+)(?::0?(\d)d)?\}")


def place(pattern: str, number: int, key: str = PICTURES) -> str:
    """Where file `number` lies in a dataset."""
    return fill(pattern, number // CHUNK, number % CHUNK, key)


def fill(pattern: str, chunk: int, file: int, key: str) -> str:
    """A path's pattern with its numbers in place. Only the three known fields mean anything: a pattern may be a stranger's."""
    values = {"chunk_index": chunk, "file_index": file, "video_key": key}

    def put(found: re.Match[str]) -> str:
        value = values.get(found[1], found[0])
        return str(value).rjust(int(found[2] or 0), "0")

    return _FIELD.sub(put, pattern)


def inside(root: Path, relative: str, said_in: Path) -> Path:
    """A file of the dataset. Raises BadFile for a path that leads out of it or to what is no plain file."""
    parts = PurePosixPath(relative.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in relative or "\0" in relative:
        raise BadFile(f"{said_in} names the file {relative[:200]!r}, which lies outside the dataset.")
    path = root / parts
    if not path.is_file():
        raise BadFile(f"{path}, of which {said_in} tells, is missing.")
    check_near(path, root, root / INFO)
    return path


def action_names(codes: Sequence[int]) -> list[str]:
    """The parts of an action vector."""
    return [*map(name, codes), *MOTIONS]


def parse_name(text: str) -> int | str | None:
    """What a part of an action vector means: a key's evdev code, the name of a motion, or None."""
    text = _MOTION_WORDS.get(text.removeprefix("mouse_"), text)
    if text in MOTIONS:
        return text
    try:
        return parse(text)
    except BadArgument:
        return None


def features(size_px: SizePx, rate_hz: int, codes: Sequence[int]) -> dict[str, Any]:
    """The `features` of info.json."""
    width, height = size_px
    video = {
        "video.height": height,
        "video.width": width,
        "video.codec": "h264",
        "video.pix_fmt": "yuv420p",
        "video.is_depth_map": False,
        "video.fps": rate_hz,
        "video.channels": 3,
        "has_audio": False,
    }
    names = action_names(codes)
    pictures = {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"], "info": video}
    found = {PICTURES: pictures, ACTION: {"dtype": "float32", "shape": [len(names)], "names": names}}
    single = {ACTORS: "int64", "timestamp": "float32"}
    single |= dict.fromkeys(("frame_index", "episode_index", "index", "task_index"), "int64")
    return found | {key: {"dtype": dtype, "shape": [1], "names": None} for key, dtype in single.items()}


def info(features: dict[str, Any], rate_hz: int, episodes: int, frames: int, tasks: int) -> dict[str, Any]:
    """The whole of info.json."""
    return {
        "codebase_version": VERSION,
        "robot_type": None,
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": CHUNK,
        "data_files_size_in_mb": DATA_MB,
        "video_files_size_in_mb": VIDEO_MB,
        "fps": rate_hz,
        "splits": {"train": f"0:{episodes}"},
        "data_path": DATA,
        "video_path": VIDEO,
        "features": features,
    }
