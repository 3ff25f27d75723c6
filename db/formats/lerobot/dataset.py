"""A LeRobot dataset of version 3 on disk, read with suspicion: every number and path in it is a stranger's claim."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute

from db.clock import Int64
from db.errors import BadFile
from db.files import read_object
from db.formats.account import MOST_LABELS
from db.formats.acting import Bits
from db.formats.frametimes import first_not_after, offsets_of, parts_of
from db.formats.lerobot.layout import ACTION, ACTORS, DATA, EPISODES, INFO, OWN, TASKS, VIDEO, fill, inside, place
from db.formats.parquet import batches, listed, open_parquet

MOST_EPISODES, MOST_TASKS = 200_000, 100_000
MOST_FRAMES = 10_000_000
"""Of an episode."""
_JSON_MAX, _LETTERS = 16 << 20, 32 << 20
"""Bytes of a JSON file, and letters of all tasks."""
_ROWS, _NUMBERS = 10_000, 1_000_000
"""At once: rows, and numbers of action vectors."""
_PICTURES = "observation.images."
_NO_TASK = -1


@dataclass(frozen=True)
class Episode:
    """Where one lies. Paths are plain files within the dataset."""

    index: int
    length: int
    data: Path
    video: Path
    from_s: float
    to_s: float


@dataclass(frozen=True)
class Rows:
    """What the data file says of the next N frames of an episode."""

    seconds: np.ndarray
    """(N,) float64"""
    tasks: np.ndarray
    """(N,) int64 numbers of tasks, -1 where there is none."""
    actions: np.ndarray
    """(N, D) float32, finite; D = 0 where the dataset has no action."""
    actors: Bits
    """(N,) the bits (`ActionTrack.actors`) of who acted, 0 where we did not write it."""


@dataclass(frozen=True)
class Course:
    """When the N frames of an episode were, and what was to be done in them."""

    offsets_ns: Int64
    """(N,) from 0, strictly increasing."""
    tasks: list[tuple[int, int, int]]
    """Stretches [start, stop) of frames with the number of their task, in order; those without one left out."""
    acted: int
    """The bits of all who acted in it."""


@dataclass
class Dataset:
    root: Path
    rate_hz: float
    pictures: str
    """The feature with the pictures that are imported."""
    names: list[str]
    """Of the parts of the action vector; as many as it has, "" where it has no name."""
    others: list[str]
    """Features that have no place in a session."""
    tasks: list[str] = field(default_factory=list)
    own: dict[int, dict[str, Any]] = field(default_factory=dict)
    """What `meta/playtape.json` says of an episode, where we wrote the dataset."""
    data_path: str = DATA
    video_path: str = VIDEO

    @classmethod
    def read(cls, root: Path) -> Dataset:
        """Raises BadFile with the place."""
        path = root / INFO
        said = read_object(path, _JSON_MAX)
        version = str(said.get("codebase_version", ""))
        if not version.startswith("v3."):
            raise BadFile(f"{path} says version {version[:20]!r}; only LeRobot datasets of version 3 can be imported.")
        features = said.get("features")
        if not isinstance(features, dict) or not all(isinstance(value, dict) for value in features.values()):
            raise BadFile(f"{path} has no features.")
        videos = sorted(key for key, value in features.items() if value.get("dtype") == "video")
        if not videos:
            raise BadFile(f"{path} has no feature of videos, so there are no pictures to import.")
        pictures = next((key for key in videos if key.startswith(_PICTURES)), videos[0])
        found = cls(
            root,
            _number(said.get("fps"), f"{path}, fps", low=0.1, high=1000),
            pictures,
            _action_names(features.get(ACTION)),
            [key for key in features if key not in (pictures, ACTION, *_OWN_COLUMNS)],
            data_path=str(said.get("data_path") or DATA),
            video_path=str(said.get("video_path") or VIDEO),
        )
        found.tasks = _read_tasks(root / TASKS)
        found.own = _read_own(root / OWN)
        return found

    def episodes(self) -> Iterator[Episode]:
        """In the order of the table. Raises BadFile."""
        prefix = f"videos/{self.pictures}/"
        columns = ["episode_index", "length", "data/chunk_index", "data/file_index"]
        columns += [prefix + name for name in ("chunk_index", "file_index", "from_timestamp", "to_timestamp")]
        count = 0
        for path in self._episode_files():
            for batch in batches(path, columns, _ROWS):
                for row in zip(*(listed(batch.column(name)) for name in columns), strict=True):
                    count += 1
                    if count > MOST_EPISODES:
                        raise BadFile(f"{path} has over {MOST_EPISODES:,} episodes.")
                    yield self._episode(row, f"{path}, episode {str(row[0])[:20]}", path)

    def course(self, episode: Episode) -> Course:
        """Raises BadFile where the data file does not say what the table of episodes claims of it."""
        seconds, where = array("d"), f"{episode.data}, episode {episode.index}"
        starts, numbers, acted = array("q"), array("q"), 0
        for piece in self.pieces(episode):
            changes = np.flatnonzero(np.diff(piece.tasks, prepend=numbers[-1] if numbers else _NO_TASK - 1))
            starts.frombytes((changes + len(seconds)).astype(np.int64).tobytes())
            numbers.frombytes(piece.tasks[changes].tobytes())
            seconds.frombytes(piece.seconds.tobytes())
            acted |= int(np.bitwise_or.reduce(piece.actors))
            if len(starts) > MOST_LABELS:
                raise BadFile(f"{where} changes its task over {MOST_LABELS:,} times.")
        if len(seconds) != episode.length:
            raise BadFile(f"{where} has {len(seconds)} rows, the table of episodes tells of {episode.length}.")
        stretches = zip(starts, [*starts[1:], len(seconds)], numbers, strict=True)
        tasks = [(start, stop, number) for start, stop, number in stretches if 0 <= number < len(self.tasks)]
        return Course(self._offsets(seconds, where), tasks, acted)

    def pieces(self, episode: Episode) -> Iterator[Rows]:
        """Some thousand rows of it at a time. Raises BadFile."""
        width, where = len(self.names), f"{episode.data}, episode {episode.index}"
        columns = ["episode_index", "timestamp"] + [ACTION] * bool(width)
        most, only = max(min(_ROWS, _NUMBERS // max(width, 1)), 1), ("episode_index", episode.index)
        optional = ["task_index"] + [ACTORS] * (episode.index in self.own)
        done = 0
        for batch in batches(episode.data, columns, most, optional=optional, only=only):
            wanted = batch.filter(pyarrow.compute.equal(batch.column("episode_index"), episode.index))
            count = wanted.num_rows
            done += count
            if done > episode.length:
                raise BadFile(f"{where} has more than the {episode.length} rows that the table of episodes tells of.")
            seconds, tasks = (
                _floats(wanted.column("timestamp"), f"{where}, timestamp"),
                np.full(count, _NO_TASK, np.int64),
            )
            actions = np.zeros((count, 0), np.float32)
            if width:
                actions = _vectors(wanted.column(ACTION), width, f"{where}, action").astype(np.float32)
            if "task_index" in batch.schema.names:
                tasks = _floats(wanted.column("task_index"), f"{where}, task_index").astype(np.int64)
            actors = np.zeros(count, np.uint8)
            if ACTORS in batch.schema.names:
                actors = (_floats(wanted.column(ACTORS), f"{where}, {ACTORS}").astype(np.int64) & 7).astype(np.uint8)
            yield Rows(seconds, tasks, actions, actors)

    def _offsets(self, seconds: array[float], where: str) -> Int64:
        """From 0; those of a constant rate exactly so, which a float32 cannot say."""
        wrong = first_not_after(np.frombuffer(seconds, np.float64), equal_is_wrong=True)
        if wrong is not None:
            raise BadFile(f"{where}, frame {wrong}: its timestamp does not follow the one before.")
        if seconds[-1] - seconds[0] > 10**6:
            raise BadFile(f"{where} claims to last {seconds[-1] - seconds[0]:.0f} s.")
        told = offsets_of(seconds, 1e9)
        step_ns = 1e9 / self.rate_hz
        steady = (np.round(np.arange(part.start, part.stop) * step_ns) for part in parts_of(len(told)))
        if any(
            np.abs(these - told[part]).max() >= 1e6 for these, part in zip(steady, parts_of(len(told)), strict=True)
        ):
            return told
        return offsets_of(array("d", range(len(told))), step_ns)

    def _episode_files(self) -> list[Path]:
        folder = self.root / place(EPISODES, 0).split("/chunk-")[0]
        found = sorted(path for path in folder.glob("chunk-*/file-*.parquet") if path.is_file())
        if not found:
            raise BadFile(f"{folder} holds no table of episodes.")
        return found

    def _episode(self, row: tuple[Any, ...], where: str, said_in: Path) -> Episode:
        index, length, *files = (_whole(value, where) for value in row[:6])
        if not 1 <= length <= MOST_FRAMES:
            raise BadFile(f"{where} claims to have {length} frames.")
        from_s, to_s = (_number(value, where, low=0, high=10**7) for value in row[6:])
        data = inside(self.root, fill(self.data_path, files[0], files[1], self.pictures), said_in)
        video = inside(self.root, fill(self.video_path, files[2], files[3], self.pictures), said_in)
        return Episode(index, length, data, video, from_s, max(to_s, from_s))


_OWN_COLUMNS = ("timestamp", "frame_index", "episode_index", "index", "task_index", ACTORS)


def _read_own(path: Path) -> dict[int, dict[str, Any]]:
    """Where it is no such file the dataset is somebody else's, and nothing is wrong."""
    try:
        episodes = read_object(path, _JSON_MAX).get("episodes")
    except BadFile:
        return {}
    rows = episodes if isinstance(episodes, list) else []
    return {number: row for number, row in enumerate(rows) if isinstance(row, dict)}


def _read_tasks(path: Path) -> list[str]:
    """The texts by their numbers; the column of texts has a name or pandas' own for an index."""
    if not path.is_file():
        return []
    with open_parquet(path) as file:
        names = [name for name in file.schema_arrow.names if name != "task_index"]
    texts: dict[int, str] = {}
    letters = 0
    if len(names) == 1:
        for batch in batches(path, ["task_index", names[0]], _ROWS):
            for number, text in zip(listed(batch.column(0)), listed(batch.column(1)), strict=True):
                if isinstance(text, str) and isinstance(number, int) and 0 <= number < MOST_TASKS:
                    texts[number] = text
                    letters += len(text)
            if letters > _LETTERS:
                raise BadFile(f"{path} has tasks of over {_LETTERS:,} letters.")
    return [texts.get(number, "") for number in range(max(texts, default=-1) + 1)]


def _action_names(feature: Any) -> list[str]:
    """LeRobot has the names as a list, as a list under any word (`motors`), or not at all."""
    if not isinstance(feature, dict):
        return []
    shape = feature.get("shape")
    width = shape[0] if isinstance(shape, list) and len(shape) == 1 and isinstance(shape[0], int) else 0
    names = feature.get("names")
    if isinstance(names, dict):
        lists = [value for value in names.values() if isinstance(value, list)]
        names = lists[0] if len(lists) == 1 else list(names)
    known = [str(name)[:100] for name in names] if isinstance(names, list) else []
    width = min(max(width, 0), 10_000)
    return (known + [""] * width)[:width]


def _floats(column: Any, where: str) -> np.ndarray:
    try:
        values = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    except (TypeError, ValueError, pyarrow.ArrowException):
        raise BadFile(f"{where} holds other things than numbers.") from None
    wrong = np.flatnonzero(~np.isfinite(values) | (np.abs(values) > 2**53))
    if values.ndim != 1 or len(wrong):
        raise BadFile(f"{where} is {values[wrong[0]] if len(wrong) else 'no number'} in one row.")
    return values


def _vectors(column: Any, width: int, where: str) -> np.ndarray:
    """(N, width) of a column of lists, or of plain numbers where width is 1."""
    if not hasattr(column, "flatten") or not isinstance(
        column, (pyarrow.FixedSizeListArray, pyarrow.ListArray, pyarrow.LargeListArray)
    ):
        if width != 1:
            raise BadFile(f"{where} is not a vector of {width} numbers.")
        return _floats(column, where).reshape(-1, 1)
    lengths = pyarrow.compute.list_value_length(column)
    if column.null_count or not pyarrow.compute.all(pyarrow.compute.equal(lengths, width), min_count=0).as_py():
        raise BadFile(f"{where} is not a vector of {width} numbers in each row.")
    return _floats(column.flatten(), where).reshape(-1, width)


def _whole(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_FRAMES:
        raise BadFile(f"{where} has {str(value)[:40]!r} where a whole number belongs.")
    return value


def _number(value: Any, where: str, *, low: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not low <= number <= high:
        raise BadFile(f"{where}: {str(value)[:40]!r} is not a number from {low:g} to {high:g}.")
    return number
