"""A LeRobot dataset of version 3 on disk, read with suspicion: every number and path in it is a stranger's claim."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from db.errors import BadFile, from_os_error
from db.files import read_object
from db.formats.lerobot.layout import ACTION, DATA, EPISODES, INFO, OWN, TASKS, VIDEO, fill, inside, place

MOST_EPISODES, MOST_TASKS, MOST_TEXT = 200_000, 1_000_000, 20_000
MOST_FRAMES, MOST_NUMBERS = 10_000_000, 50_000_000
"""Of an episode: its frames, and its frames times what an action vector has."""
_JSON_MAX, _FILE_MAX, _COLUMN_MAX = 16 << 20, 4 << 30, 1 << 30
_ROWS = 10_000
_PICTURES = "observation.images."


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
    """What the data file says of one episode of N frames."""

    seconds: np.ndarray
    """(N,) float64, from 0, strictly increasing."""
    actions: np.ndarray
    """(N, D) float32, finite; D = 0 where the dataset has no action."""
    tasks: np.ndarray
    """(N,) int64 numbers of tasks, -1 where there is none."""


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
            for batch in _batches(path, columns):
                for row in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                    count += 1
                    if count > MOST_EPISODES:
                        raise BadFile(f"{path} has over {MOST_EPISODES:,} episodes.")
                    yield self._episode(row, f"{path}, episode {str(row[0])[:20]}", path)

    def rows(self, episode: Episode) -> Rows:
        """Raises BadFile where the data file does not say what the table of episodes claims of it."""
        count, width, where = episode.length, len(self.names), f"{episode.data}, episode {episode.index}"
        if count * max(width, 1) > MOST_NUMBERS:
            raise BadFile(f"{where} has {count} frames of {width} numbers, which is too much for one session.")
        seconds, tasks = np.zeros(count), np.full(count, -1, np.int64)
        actions, done = np.zeros((count, width), np.float32), 0
        columns = ["episode_index", "timestamp"] + [ACTION] * bool(width)
        for batch in _batches(episode.data, columns, optional=("task_index",), only=episode.index):
            wanted = batch.filter(pyarrow.compute.equal(batch.column("episode_index"), episode.index))
            rows = slice(done, done + wanted.num_rows)
            if rows.stop > count:
                raise BadFile(f"{where} has more than the {count} rows that the table of episodes tells of.")
            seconds[rows] = _floats(wanted.column("timestamp"), f"{where}, timestamp")
            if width:
                actions[rows] = _vectors(wanted.column(ACTION), width, f"{where}, action")
            if "task_index" in batch.schema.names:
                tasks[rows] = _floats(wanted.column("task_index"), f"{where}, task_index").astype(np.int64)
            done = rows.stop
        if done != count:
            raise BadFile(f"{where} has {done} rows, the table of episodes tells of {count}.")
        return Rows(self._steady(seconds, where), actions, tasks)

    def _steady(self, seconds: np.ndarray, where: str) -> np.ndarray:
        """Times from 0; those of a constant rate exactly so, which a float32 cannot say."""
        wrong = np.flatnonzero(np.diff(seconds) <= 0)
        if len(wrong):
            raise BadFile(f"{where}, frame {int(wrong[0]) + 1}: its timestamp does not follow the one before.")
        seconds = seconds - seconds[0]
        if seconds[-1] > 10**6:
            raise BadFile(f"{where} claims to last {seconds[-1]:.0f} s.")
        steady: np.ndarray = np.arange(len(seconds)) / self.rate_hz
        return steady if np.abs(steady - seconds).max() < 1e-3 else seconds

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


_OWN_COLUMNS = ("timestamp", "frame_index", "episode_index", "index", "task_index", "actors")


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
    with _opened(path) as file:
        names = [name for name in file.schema_arrow.names if name != "task_index"]
    texts: dict[int, str] = {}
    if len(names) == 1:
        for batch in _batches(path, ["task_index", names[0]]):
            for number, text in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
                if isinstance(text, str) and isinstance(number, int) and 0 <= number < MOST_TASKS:
                    texts[number] = text[:MOST_TEXT]
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


@contextmanager
def _opened(path: Path) -> Iterator[pyarrow.parquet.ParquetFile]:
    """A Parquet file. Raises BadFile, also for what goes wrong while it is read."""
    try:
        if path.stat().st_size > _FILE_MAX:
            raise BadFile(f"{path} has over {_FILE_MAX >> 30} GiB.")
        with pyarrow.parquet.ParquetFile(
            path, thrift_string_size_limit=64 << 20, thrift_container_size_limit=1_000_000, memory_map=False
        ) as file:
            yield file
    except (pyarrow.ArrowException, ValueError, EOFError) as error:
        raise BadFile(f"{path} is not a whole Parquet table: {str(error).splitlines()[0][:300]}.") from None
    except OSError as error:
        if error.errno is None:  # pyarrow's own word for a broken file
            raise BadFile(f"{path} is not a whole Parquet table: {str(error)[:300]}.") from None
        raise from_os_error(error, path) from None


def _batches(
    path: Path, columns: list[str], optional: tuple[str, ...] = (), only: int | None = None
) -> Iterator[pyarrow.RecordBatch]:
    """Some thousand rows at a time of these columns. only: row groups that can hold this `episode_index`."""
    with _opened(path) as file:
        names = file.schema_arrow.names
        lacking = [name for name in columns if name not in names]
        if lacking:
            raise BadFile(f"{path} has no column {lacking[0]!r}.")
        wanted = [*columns, *(name for name in optional if name in names)]
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            if group.num_rows > MOST_FRAMES:
                raise BadFile(f"{path} claims {group.num_rows:,} rows in one group.")
            chunks = [group.column(i) for i in range(group.num_columns)]
            chunks = [chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] in wanted]
            for chunk in chunks:
                if chunk.total_uncompressed_size > _COLUMN_MAX:
                    raise BadFile(f"{path} claims {chunk.total_uncompressed_size:,} bytes in one column.")
            if only is None or _may_hold(chunks, only):
                yield from file.iter_batches(_ROWS, row_groups=[number], columns=wanted, use_threads=False)


def _may_hold(chunks: list[Any], episode: int) -> bool:
    for chunk in chunks:
        if chunk.path_in_schema == "episode_index" and chunk.is_stats_set and chunk.statistics.has_min_max:
            return bool(chunk.statistics.min <= episode <= chunk.statistics.max)
    return True


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
