"""Frames and actions as researchers take them: one video, and one row of a table for each of its frames.

<folder>/video.mkv                    all frames of the session
<folder>/frames.csv or .parquet       a row per frame, in order
<folder>/about.json                   game, player, sizes and what the columns mean

The columns: `frame` from 0; `t_s`, seconds after the first frame; `known` (1: inputs were watched for all of this frame);
`used` (0: a person left it out); `actor`; `instruction`, the one in force; `flags`, joined by `|`; `dx`, `dy`, the mouse's
motion in device counts, right and down; `scroll_x`, `scroll_y` in notches, right and up. Then two for each key by its evdev
name: `KEY_W`, 1 while it is down at the end of the frame's interval, and `KEY_W.presses`, how often it went down in it, so
that a key tapped within one frame reads 0 and 1. What was done in the interval [t_s of this row, t_s of the next) stands in
this row, and can be seen in the next frame at the earliest (`db.clock.FrameClock`).

To come in, a table needs as many rows as the video has frames, and any of these columns; `t_s` is needed, without
`known` all inputs count. Times within a frame's interval are not in a table: presses that come in are spread
over it. Sessions that are to come back as they were travel as `.playtape` files (`db.formats.interchange`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile, from_os_error
from db.formats.account import Account, bring_account, known
from db.formats.format import Asked, Format, Source, Tell
from db.formats.identity import file_id, state_of
from db.formats.report import Report
from db.formats.rowevents import RowEvents, parse_numbers
from db.formats.staging import ABOUT, is_there, one_by_one, staged, write_about
from db.formats.table import ROWS, has_parquet, read_table, write_table
from db.formats.video import VideoReport
from db.labelling.labels import Edit, LabelKind, spans
from db.media.video import MUXER
from db.recording.actions import ActionTrack
from db.recording.corrections import corrections_of
from db.recording.events import Gap, GapReason, InputEvent
from db.recording.keys import name as key_name
from db.recording.keys import parse as parse_key
from db.recording.reader import Recording
from db.recording.stretches import stretches_of
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn

FORMAT_ID = "playtape-frames-1"
PRESSES = ".presses"
_FIXED = ("frame", "t_s", "known", "used", "actor", "instruction", "flags", "dx", "dy", "scroll_x", "scroll_y")
_TABLES, _VIDEOS = ("frames.parquet", "frames.csv"), (".mkv", ".mp4", ".webm", ".mov", ".avi")
_ABOUT_MAX = 1 << 20


def export_frames(
    store: Store, session_id: str, out: Path, *, parquet: bool = False, progress: Tell = lambda share: None
) -> Path:
    """Writes a session's frames and corrected actions into a new folder `out / session_id`; returns the folder.

    The folder appears whole or not at all. Raises BadArgument where it is there already or Parquet cannot be written,
    NotFound, Withdrawn, BadFile, DiskFull and StoreReadOnly.
    """
    refuse_withdrawn(store, session_id)
    if parquet and not has_parquet():
        raise BadArgument("Parquet needs pyarrow: pip install pyarrow, or export CSV.")
    recording, edits = store.recording(session_id), store.edits(session_id)
    target = out / session_id
    try:
        with staged(target) as staging:
            join_segments(recording, staging / "video.mkv", progress)
            table = staging / ("frames.parquet" if parquet else "frames.csv")
            write_table(table, _pieces(recording, edits))
            write_about(staging, _about(recording) | {"state": state_of(store, session_id)})
    except av.FFmpegError as error:
        raise BadFile(f"The video of session {session_id} cannot be copied ({error}).") from None
    return target


def import_frames(
    store: Store, folder: Path, *, game: str = "", player: str = "", progress: Tell = lambda share: None
) -> VideoReport:
    """Makes a session of such a folder; the report names the columns that could not be kept.

    game, player: where they are not given `about.json` says it. Raises BadFile with the place, BadArgument where no game
    is named, DiskFull, StoreReadOnly and Withdrawn; nothing is left behind then.
    """
    return VideoReport.of(_Reader().bring(store, Source(folder), Asked(game, player), progress))


class _Reader:
    """Folders with a video and a table, or a folder of such folders."""

    def find(self, path: Path) -> Iterator[Source]:
        inner = sorted(folder for folder in path.glob("*") if folder.is_dir() and _table_in(folder))
        for folder in inner if inner and not _table_in(path) else [path]:
            yield Source(folder, size=sum(file.stat().st_size for file in folder.glob("*") if file.is_file()))

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        folder = source.path
        table = _table_in(folder)
        videos = sorted(path for path in folder.glob("*") if path.suffix.lower() in _VIDEOS)
        if table is None or len(videos) != 1:
            raise BadFile(f"{folder} needs one video and a frames.csv or frames.parquet; it has {len(videos)} videos.")
        about = _read_about(folder / ABOUT)
        game = asked.game or str(about.get("game", ""))
        player = asked.player or str(about.get("player", "")) or "unknown"
        if not game:
            raise BadArgument(f"Nothing says which game {folder} shows; name it with --game.")
        session_id = file_id(videos[0], table)
        if found := known(store, session_id, source):
            return found
        report = Report(source.name, "imported", path=str(folder))
        rows = _read_rows(table, report)
        account = _Rows(
            session_id=session_id, video=videos[0], game=game, player=player, told_in=table.name,
            offsets_ns=rows.offsets_ns, table=rows,
        )  # fmt: skip
        return bring_account(store, account, source, asked, tell, report)


class _Writer:
    def __init__(self, *, parquet: bool) -> None:
        self._parquet = parquet

    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        def one(session_id: str, tell_one: Tell) -> Report:
            return self._write_one(store, session_id, out, asked, tell_one)

        return one_by_one(session_ids, one, tell)

    def _write_one(self, store: Store, session_id: str, out: Path, asked: Asked, tell: Tell) -> Report:
        target = out / session_id
        recording = store.recording(session_id)
        count = len(recording.clock)
        report = Report(
            session_id, "written", session_id, str(target), count, recording.clock.duration_ns / 1e9, asked.dry_run
        )
        if is_there(target, FORMAT_ID, state_of(store, session_id)):
            report.outcome = "known"
            return report
        report.keep("frames", count)
        report.keep("presses", int(recording.resolve().presses.sum()))
        report.change(
            "times within a frame: presses are counted for each frame", int(recording.resolve().presses.sum())
        )
        if asked.dry_run:
            refuse_withdrawn(store, session_id)
        else:
            export_frames(store, session_id, out, parquet=self._parquet, progress=tell)
        return report


def _table_in(folder: Path) -> Path | None:
    return next((folder / name for name in _TABLES if (folder / name).is_file()), None)


# Out


def join_segments(recording: Recording, target: Path, progress: Tell) -> None:
    """All frames of a session in one file, packets copied; times in it count from the first frame.

    Raises what PyAV raises, and BadFile where the segments were encoded in two ways (as after a change of encoder).
    """
    meta, frames = recording.meta, recording.frames
    first_ns, done = int(frames["t_ns"][0]), 0
    with av.open(str(target), "w", format="matroska", options=MUXER) as out:
        copy: Any = None
        kind: Any = None
        for segment in meta.segments:
            offset_ms = round((int(frames["t_ns"][segment.first_frame]) - first_ns) / 1e6)
            with av.open(str(recording.folder / segment.name)) as source:
                stream = source.streams.video[0]
                if copy is None:
                    copy, kind = out.add_stream_from_template(stream), stream.codec_context.extradata
                elif stream.codec_context.extradata != kind:
                    raise BadFile(f"{segment.name} was encoded in another way than the first segment.")
                for packet in source.demux(stream):
                    if packet.pts is None or not packet.size:
                        continue
                    packet.pts += offset_ms
                    packet.dts = packet.pts
                    packet.stream = copy
                    out.mux(packet)
                    done += 1
                    if done % 500 == 0:
                        progress(done / len(frames))


def _pieces(recording: Recording, edits: Sequence[Edit]) -> Iterator[dict[str, list[Any]]]:
    current = spans(edits)
    track = recording.resolve(corrections=corrections_of(current))
    seconds = (track.edges_ns[:-1] - track.edges_ns[0]) / 1e9
    said = _labels(current, len(track))
    for first in range(0, len(track), ROWS):
        rows = slice(first, min(first + ROWS, len(track)))
        piece: dict[str, list[Any]] = {
            "frame": list(range(rows.start, rows.stop)),
            "t_s": np.round(seconds[rows], 9).tolist(),
            "known": track.known[rows].astype(int).tolist(),
            "used": said.used[rows].astype(int).tolist(),
            "actor": [_actor(bits) for bits in track.actors[rows].tolist()],
            "instruction": said.instruction[rows],
            "flags": ["|".join(sorted(words)) for words in said.flags[rows]],
            "dx": track.motion[rows, 0].astype(float).tolist(),
            "dy": track.motion[rows, 1].astype(float).tolist(),
            "scroll_x": track.scroll[rows, 0].astype(float).tolist(),
            "scroll_y": track.scroll[rows, 1].astype(float).tolist(),
        }
        yield piece | _key_columns(track, rows)


def _key_columns(track: ActionTrack, rows: slice) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for column, code in enumerate(track.codes):
        columns[key_name(code)] = track.held[rows, column].astype(int).tolist()
        columns[key_name(code) + PRESSES] = track.presses[rows, column].astype(int).tolist()
    return columns


@dataclass(frozen=True)
class _Labels:
    """What people say of every frame."""

    instruction: list[str]
    flags: list[set[str]]
    used: np.ndarray


def _labels(current: Sequence[Edit], count: int) -> _Labels:
    instruction = [""] * count
    flags: list[set[str]] = [set() for _ in range(count)]
    used = np.ones(count, np.bool_)
    for edit in current:  # by start, so that of two instructions the later one is in force
        if edit.suggested:
            continue
        start, stop = edit.start or 0, min(edit.stop or 0, count)
        if edit.kind is LabelKind.INSTRUCTION:
            instruction[start:stop] = [edit.value] * max(stop - start, 0)
        elif edit.kind is LabelKind.FLAG:
            for words in flags[start:stop]:
                words.add(edit.value)
        elif edit.kind is LabelKind.TRIM:
            used[start:stop] = False
    return _Labels(instruction, flags, used)


def _actor(bits: int) -> str:
    return "+".join(word for bit, word in ((1, "person"), (2, "script"), (4, "model")) if bits & bit)


def _about(recording: Recording) -> dict[str, Any]:
    meta, clock = recording.meta, recording.clock
    return {
        "format": FORMAT_ID,
        "session": meta.id,
        "revision": meta.revision,
        "game": meta.game,
        "player": meta.player,
        "size_px": list(meta.size_px),
        "frames": len(clock),
        "seconds": clock.duration_ns / 1e9,
        "started_at": meta.anchor.wall_time(int(clock.t_ns[0])).isoformat(),
        "licence": meta.consent.licence if meta.consent else None,
        "columns": "What was done from a row's t_s to the next row's; see db/formats/frames.py of Playtape.",
    }


# In


@dataclass
class _Table:
    """A table that was read: what its columns say of N frames."""

    offsets_ns: Int64
    events: RowEvents
    known: np.ndarray
    used: np.ndarray
    instruction: list[str]
    flags: list[str]


def _read_rows(path: Path, report: Report) -> _Table:
    """Raises BadFile with the place of what cannot be. report: hears which columns mean nothing here."""
    numbers: dict[str, list[np.ndarray]] = {}
    words: dict[str, list[str]] = {"instruction": [], "flags": []}
    dropped: list[str] = []
    count = 0
    for piece in read_table(path):
        if count == 0:
            kept, dropped = _sort_columns(list(piece), path)
        for name in kept:
            if name in words:
                words[name] += ["" if value is None else str(value)[:20_000] for value in piece[name]]
            else:
                numbers.setdefault(name, []).append(parse_numbers(piece[name], name, count + 2, path))
        count += len(next(iter(piece.values())))
    if count == 0:
        raise BadFile(f"{path} has no rows.")
    if dropped:
        report.drop(f"These columns could not be kept: {', '.join(sorted(dropped))}.")
    columns = {name: np.concatenate(parts) for name, parts in numbers.items()}
    return _Table(
        _offsets(columns.pop("t_s", None), path),
        RowEvents.of(columns, PRESSES, path),
        columns.get("known", np.ones(count)) != 0,
        columns.get("used", np.ones(count)) != 0,
        words["instruction"] or [""] * count,
        words["flags"] or [""] * count,
    )


def _sort_columns(names: Sequence[str], path: Path) -> tuple[list[str], list[str]]:
    """The columns that mean something here, and those that do not."""
    kept: list[str] = []
    dropped: list[str] = []
    for name in names:
        try:
            meant = name in _FIXED or parse_key(name.removesuffix(PRESSES)) is not None
        except BadArgument:
            meant = False
        (kept if meant and name not in ("frame", "actor") else dropped).append(name)
    if "t_s" not in kept:
        raise BadFile(f"{path} has no column t_s with the time of each frame in seconds.")
    return kept, [name for name in dropped if name not in ("frame", "actor")]


def _offsets(seconds: np.ndarray | None, path: Path) -> Int64:
    assert seconds is not None
    wrong = np.flatnonzero(np.diff(seconds) <= 0)
    if len(wrong):
        raise BadFile(f"{path}, row {int(wrong[0]) + 2}: its t_s does not follow the one before.")
    if seconds[-1] - seconds[0] > 10**7:
        raise BadFile(f"{path} claims to last {seconds[-1] - seconds[0]:.0f} s.")
    offsets: Int64 = np.round((seconds - seconds[0]) * 1e9).astype(np.int64)
    return offsets


@dataclass(kw_only=True)
class _Rows(Account):
    """What a table tells of the frames of its video."""

    table: _Table

    def gaps(self, edges_ns: Int64) -> Iterator[Gap]:
        for start, stop in stretches_of(~self.table.known):
            yield Gap(int(edges_ns[start]), int(edges_ns[stop]), GapReason.UNRECORDED)

    def events(self, edges_ns: Int64) -> Iterator[list[InputEvent]]:
        return self.table.events.read(edges_ns, self.table.known)

    def labels(self) -> Iterator[Edit]:
        table = self.table
        for start, stop, text in _equal_runs(table.instruction):
            yield self.label(LabelKind.INSTRUCTION, start, stop, text)
        for word in sorted({word for words in set(table.flags) for word in words.split("|") if word}):
            marked = np.array([word in words.split("|") for words in table.flags], np.bool_)
            for start, stop in stretches_of(marked):
                yield self.label(LabelKind.FLAG, start, stop, word)
        for start, stop in stretches_of(~table.used):
            yield self.label(LabelKind.TRIM, start, stop)


def _equal_runs(texts: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    start = 0
    for i in range(1, len(texts) + 1):
        if i == len(texts) or texts[i] != texts[start]:
            if texts[start]:
                yield start, i, texts[start]
            start = i


def _read_about(path: Path) -> dict[str, Any]:
    try:
        if not path.exists():
            return {}
        if path.stat().st_size > _ABOUT_MAX:
            raise BadFile(f"{path} is too large to be what it should be.")
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not JSON: {error}.") from None
    except OSError as error:
        raise from_os_error(error, path) from None
    if not isinstance(said, dict):
        raise BadFile(f"{path} is not an object.")
    return said


FORMAT = Format(
    "frames",
    "a folder each with video.mkv and frames.csv, a row of actions a frame",
    reads=_Reader(),
    writes=_Writer(parquet=False),
)
PARQUET = Format(
    "frames-parquet",
    "the same with frames.parquet (needs pyarrow)",
    reads=_Reader(),
    writes=_Writer(parquet=True),
)
