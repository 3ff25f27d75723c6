"""One session's share of a LeRobot dataset: its rows, its video, and what the dataset's own tables need to know of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow
import pyarrow.parquet

from db.errors import from_os_error
from db.formats.lerobot import statistics
from db.formats.lerobot.layout import ACTION, ACTORS, CHUNK, DATA, PICTURES, VIDEO, place
from db.formats.lerobot.plan import Part, Plan
from db.formats.outgoing import Outgoing
from db.formats.report import Report
from db.formats.sampling import Sampling, sample
from db.formats.steadyvideo import write_steady
from db.media.colour import to_rgb
from db.recording.actions import ActionTrack

GOP = 10
"""Training reads single pictures at random: the fewer frames before one, the sooner it is there."""
_TELL_EVERY = 50
Facts = dict[str, Any]
"""A row of the table of episodes, as plain values."""


def write_part(out: Path, plan: Plan, part: Part, outgoing: Outgoing, tell: Callable[[float], None]) -> list[Facts]:
    """Writes a session's data file and video under temporary names, then gives both their own; returns its episodes.

    Raises BadFile, DiskFull, StoreReadOnly and EncoderFailed; the temporary files are gone then.
    """
    data, video = out / place(DATA, part.number), out / place(VIDEO, part.number)
    fresh = [path.with_name(path.name + ".new") for path in (data, video)]
    clock = outgoing.recording.clock
    samplings = [sample(clock, plan.rate_hz, *stretch) for stretch in part.stretches]
    try:
        for path in fresh:
            path.parent.mkdir(parents=True, exist_ok=True)
        pictures = _write_video(fresh[1], plan, part, outgoing, samplings, tell)
        episodes = _write_rows(fresh[0], plan, part, outgoing, samplings, pictures)
        for path, final in zip(fresh, (data, video), strict=True):
            path.replace(final)
    except OSError as error:
        raise from_os_error(error, error.filename or out) from None
    finally:
        for path in fresh:
            path.unlink(missing_ok=True)
    return episodes


def note(plan: Plan, part: Part, outgoing: Outgoing) -> Report:
    """The report on a part, which needs no decoding: what was kept, changed and dropped."""
    report, meta, clock = part.report, outgoing.recording.meta, outgoing.recording.clock
    samplings = [sample(clock, plan.rate_hz, *stretch) for stretch in part.stretches]
    counted = sum(stop - start for start, stop in part.stretches)
    shown = sum(len(np.unique(found.frames)) for found in samplings)
    report.frames = sum(part.counts)
    report.seconds = report.frames / plan.rate_hz
    report.keep("episodes", len(part.stretches))
    report.keep("frames", report.frames)
    report.keep("keys and buttons", len(part.codes))
    report.keep("instructions", sum(bool(text) for text in part.texts))
    report.change(f"frames are shown twice or more at {plan.rate_hz} Hz", sum(found.repeated for found in samplings))
    report.drop(f"frames between those that are shown at {plan.rate_hz} Hz", counted - shown)
    outgoing.note_skipped(report, samplings, plan.rate_hz)
    if tuple(meta.size_px) != tuple(plan.size_px):
        report.change("pictures scaled from {}x{} to {}x{}".format(*meta.size_px, *plan.size_px), report.frames)
    taps = sum(int(outgoing.resolve(found.edges_ns, plan.codes).tapped.sum()) for found in samplings)
    report.change("taps within one interval, which read as held for all of it", taps)
    return report


def _write_video(
    path: Path,
    plan: Plan,
    part: Part,
    outgoing: Outgoing,
    samplings: list[Sampling],
    tell: Callable[[float], None],
) -> list[statistics.Statistics]:
    """Writes all episodes one after the other; returns the statistics of each one's pictures."""
    found: list[statistics.Statistics] = []
    looked_at: list[Any] = []
    total, done = sum(part.counts), 0

    def frames() -> Iterator[av.VideoFrame]:
        nonlocal done
        reader = outgoing.recording.video()
        try:
            for sampling in samplings:
                count = len(sampling)
                wanted = set(np.linspace(0, count - 1, min(count, statistics.PICTURES)).astype(int).tolist())
                for tick, frame in enumerate(_shown(reader, sampling)):
                    if tick in wanted:
                        looked_at.append(statistics.thin(to_rgb(frame)))
                    yield frame
                    done += 1
                    if done % _TELL_EVERY == 0:
                        tell(done / total)
                found.append(statistics.describe_pictures(looked_at))
                looked_at.clear()
        finally:
            reader.close()

    write_steady(path, frames(), plan.size_px, plan.rate_hz, GOP)
    return found


def _shown(reader: Any, sampling: Sampling) -> Iterator[av.VideoFrame]:
    """The frame of each tick."""
    indices, counts = np.unique(sampling.frames, return_counts=True)
    for (_, frame), count in zip(reader.decode(indices.tolist()), counts.tolist(), strict=True):
        for _ in range(count):
            yield frame


def _write_rows(
    path: Path,
    plan: Plan,
    part: Part,
    outgoing: Outgoing,
    samplings: list[Sampling],
    pictures: list[statistics.Statistics],
) -> list[Facts]:
    episodes: list[Facts] = []
    frame, shown_s = part.first_frame, 0.0
    writer: Any = None
    try:
        for offset, sampling in enumerate(samplings):
            columns = _columns(plan, part, outgoing, sampling, part.first_episode + offset, frame)
            table = pyarrow.table(
                {name: _arrow(values) for name, values in columns.items()},
            )
            writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, compression="snappy")
            writer.write_table(table)  # a row group an episode, by which readers find it
            count = len(sampling)
            described = {PICTURES: pictures[offset]} | {
                name: statistics.describe(values) for name, values in columns.items()
            }
            texts, numbers = outgoing.instructions
            tasks = dict.fromkeys(texts[number] for number in numbers[sampling.frames].tolist())
            episodes.append(
                {
                    "episode_index": part.first_episode + offset,
                    "tasks": list(tasks),
                    "length": count,
                    "data/chunk_index": part.number // CHUNK,
                    "data/file_index": part.number % CHUNK,
                    "dataset_from_index": frame,
                    "dataset_to_index": frame + count,
                    f"videos/{PICTURES}/chunk_index": part.number // CHUNK,
                    f"videos/{PICTURES}/file_index": part.number % CHUNK,
                    f"videos/{PICTURES}/from_timestamp": shown_s,
                    f"videos/{PICTURES}/to_timestamp": shown_s + count / plan.rate_hz,
                    "stats": {
                        key: {name: value.tolist() for name, value in values.items()}
                        for key, values in described.items()
                    },
                }
            )
            frame, shown_s = frame + count, shown_s + count / plan.rate_hz
    finally:
        if writer is not None:
            writer.close()
    return episodes


def _columns(
    plan: Plan, part: Part, outgoing: Outgoing, sampling: Sampling, episode: int, first_frame: int
) -> dict[str, np.ndarray]:
    """The columns of one episode's rows, in the order of the features."""
    track = outgoing.resolve(sampling.edges_ns, plan.codes)
    count = len(sampling)
    texts, numbers = outgoing.instructions
    task_of = {number: plan.tasks.index(text) for number, text in enumerate(texts) if text in part.texts}
    tasks = [task_of[number] for number in numbers[sampling.frames].tolist()]
    return {
        ACTION: action_vectors(track, plan.codes),
        ACTORS: track.actors.astype(np.int64),
        "timestamp": (np.arange(count) / plan.rate_hz).astype(np.float32),
        "frame_index": np.arange(count, dtype=np.int64),
        "episode_index": np.full(count, episode, np.int64),
        "index": np.arange(first_frame, first_frame + count, dtype=np.int64),
        "task_index": np.array(tasks, np.int64),
    }


def action_vectors(track: ActionTrack, codes: tuple[int, ...]) -> np.ndarray:
    """(N, K + 4) float32: 1 for each key that was down at the end of the interval or tapped in it, then the four sums."""
    parts = [track.select(codes).astype(np.float32), track.motion, track.scroll]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _arrow(values: np.ndarray) -> Any:
    if values.ndim == 1:
        return pyarrow.array(values)
    return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.reshape(-1)), values.shape[1])
