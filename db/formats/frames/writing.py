"""A session as one video and one table of its frames."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from db.errors import BadArgument, BadFile
from db.formats.acting import tell_actors
from db.formats.format import Asked, Tell
from db.formats.frames.layout import COLUMNS, FORMAT_ID, KEY_COLUMNS, PRESSES
from db.formats.identity import state_of
from db.formats.outgoing import Outgoing
from db.formats.report import Report
from db.formats.staging import is_there, one_by_one, staged, write_about
from db.formats.table import ROWS, has_parquet, write_table
from db.labelling.labels import Edit, LabelKind, spans
from db.media.video import MUXER
from db.recording.actions import ActionTrack
from db.recording.corrections import corrections_of
from db.recording.keys import name as key_name
from db.recording.reader import Recording
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn


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


class Writer:
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
        outgoing = Outgoing.read(store, session_id)
        recording = outgoing.recording
        count = len(recording.clock)
        report = Report(
            session_id, "written", session_id, str(target), count, recording.clock.duration_ns / 1e9, asked.dry_run
        )
        if is_there(target, FORMAT_ID, state_of(store, session_id)):
            report.outcome = "known"
            return report
        report.keep("frames", count)
        presses = int(outgoing.resolve().presses.sum())
        report.keep("presses", presses)
        report.change("times within a frame: presses are counted for each frame", presses)
        for kind in (LabelKind.INSTRUCTION, LabelKind.FLAG):
            report.keep(f"{kind.value}s", sum(edit.kind is kind for edit in outgoing.spans))
        outgoing.note_unsaid(report, LabelKind.COMMENT)
        if not asked.dry_run:
            export_frames(store, session_id, out, parquet=self._parquet, progress=tell)
        return report


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
        "group": meta.group_id,
        "actors": tell_actors(meta.actors),
        "title": meta.window.title,
        "layout": meta.layout,
        "size_px": list(meta.size_px),
        "frames": len(clock),
        "seconds": clock.duration_ns / 1e9,
        "started_at": meta.anchor.wall_time(int(clock.t_ns[0])).isoformat(),
        "licence": meta.consent.licence if meta.consent else None,
        "columns": COLUMNS | KEY_COLUMNS,
    }
