"""A video and a table of its frames become a session."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile
from db.files import check_near, read_object
from db.formats.account import Account, known
from db.formats.acting import Bits, bits_of, list_actors, places_of
from db.formats.arrival import bring_account
from db.formats.format import Asked, Source, Tell
from db.formats.frames.layout import FIXED, PRESSES
from db.formats.frametimes import first_not_after, offsets_of
from db.formats.identity import file_id
from db.formats.ownnotes import circumstances, word
from db.formats.report import Report
from db.formats.rowevents import Numbers, RowEvents, parse_numbers, read_pieces
from db.formats.runs import Run, Runs
from db.formats.staging import ABOUT
from db.formats.table import column_names, read_table
from db.formats.video import VideoReport
from db.labelling.labels import Edit, LabelKind
from db.recording.actions import Bools
from db.recording.events import Actor, Gap, GapReason, InputEvent
from db.recording.keys import parse as parse_key
from db.recording.stretches import stretches_of
from db.store import Store

_TABLES, _VIDEOS = ("frames.parquet", "frames.csv"), (".mkv", ".mp4", ".webm", ".mov", ".avi")
_ABOUT_MAX = 1 << 20
_WORDS, _LONGEST_WORD = ("instruction", "flags", "actor"), 20_000


def import_frames(
    store: Store, folder: Path, *, game: str = "", player: str = "", progress: Tell = lambda share: None
) -> VideoReport:
    """Makes a session of such a folder; the report names the columns that could not be kept.

    game, player: where they are not given `about.json` says it. Raises BadFile with the place, BadArgument where no game
    is named, DiskFull, StoreReadOnly and Withdrawn; nothing is left behind then.
    """
    return VideoReport.of(Reader().bring(store, Source(folder), Asked(game, player), progress))


class Reader:
    """Folders with a video and a table, or a folder that holds such, at any depth."""

    def find(self, path: Path) -> Iterator[Source]:
        inner = sorted({table.parent for name in _TABLES for table in path.rglob(name) if table.is_file()})
        for folder in inner if inner and not _table_in(path) else [path]:
            yield Source(folder, size=sum(file.stat().st_size for file in folder.glob("*") if file.is_file()))

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        folder = source.path
        table = _table_in(folder)
        videos = sorted(path for path in folder.glob("*") if path.suffix.lower() in _VIDEOS)
        if table is None or len(videos) != 1:
            raise BadFile(f"{folder} needs one video and a frames.csv or frames.parquet; it has {len(videos)} videos.")
        check_near(videos[0], folder, table)
        about = read_object(folder / ABOUT, _ABOUT_MAX) if (folder / ABOUT).exists() else {}
        game, player = asked.game or word(about, "game"), asked.player or word(about, "player") or "unknown"
        if not game:
            raise BadArgument(f"Nothing says which game {folder} shows; name it with --game, or in the field Game.")
        session_id = file_id(videos[0], table)
        if found := known(store, session_id, source, asked):
            return found
        report = Report(source.name, "imported", path=str(folder))
        account = read_account(table, videos[0], session_id, Asked(game, player), report, about)
        return bring_account(store, account, source, asked, tell, report)


def read_account(
    table: Path, video: Path, session_id: str, asked: Asked, report: Report, about: Mapping[str, Any] | None = None
) -> Account:
    """What a table tells of its video, and about.json of both. Raises BadFile with the place."""
    rows, about = _read_rows(table, report), about or {}
    rows.actors = list_actors(rows.acted, asked.player, about.get("actors"))
    return _Rows(
        session_id=session_id, video=video, game=asked.game, player=asked.player, told_in=table.name,
        offsets_ns=rows.offsets_ns, table=rows, actors=rows.actors, **circumstances(about),
    )  # fmt: skip


def _table_in(folder: Path) -> Path | None:
    return next((folder / name for name in _TABLES if (folder / name).is_file()), None)


@dataclass
class _Table:
    """A table that was read once: what its columns say of N frames. What was done in them is read again, piece by piece."""

    path: Path
    columns: list[str]
    """Those that mean something here."""
    offsets_ns: Int64
    known: Bools
    used: Bools
    instructions: list[Run]
    flags: list[Run]
    acted: int
    """The bits (`ActionTrack.actors`) of all who acted in it."""
    actors: tuple[Actor, ...] = ()

    def pieces(self) -> Iterator[RowEvents]:
        """Some thousand rows at a time. Raises BadFile with the place of what cannot be."""
        for piece in _pieces(self.path, self.columns):
            yield replace(piece.events, actors=places_of(piece.actors, self.actors))


@dataclass
class _Piece:
    """Some rows of a table."""

    first: int
    """Their first row, from 0."""
    numbers: dict[str, Numbers]
    words: dict[str, list[str]]
    events: RowEvents

    def __len__(self) -> int:
        return len(self.numbers["t_s"])

    @property
    def actors(self) -> Bits:
        """(N,) the bits of who acted in each row."""
        return bits_of(self.words["actor"]) if "actor" in self.words else np.zeros(len(self), np.uint8)


def _pieces(path: Path, columns: Sequence[str]) -> Iterator[_Piece]:
    first, before = 0, frozenset[int]()
    for piece in read_table(path, columns):
        words = {name: list(map(_word, piece[name])) for name in _WORDS if name in piece}
        numbers = {name: parse_numbers(piece[name], name, first + 2, path) for name in columns if name not in _WORDS}
        events = RowEvents.of(numbers, PRESSES, path, first + 2, before)
        yield _Piece(first, numbers, words, events)
        first, before = first + len(numbers["t_s"]), events.after


def _word(value: Any) -> str:
    return "" if value is None else str(value)[:_LONGEST_WORD]


def _read_rows(path: Path, report: Report) -> _Table:
    """Raises BadFile with the place of what cannot be. report: hears which columns mean nothing here."""
    columns, dropped = _sort_columns(column_names(path), path)
    if dropped:
        report.drop(f"These columns could not be kept: {', '.join(sorted(dropped))[:2000]}.")
    seconds, known, used = array("d"), array("B"), array("B")
    instructions, flags, acted = Runs(str(path)), Runs(str(path)), 0
    for piece in _pieces(path, columns):
        seconds.frombytes(piece.numbers["t_s"].tobytes())
        for name, states in (("known", known), ("used", used)):
            states.frombytes((piece.numbers.get(name, np.ones(len(piece))) != 0).astype(np.uint8).tobytes())
        for row, text in enumerate(piece.words.get("instruction", ())):
            instructions.say(piece.first + row, (text,) if text else ())
        for row, text in enumerate(piece.words.get("flags", ())):
            flags.say(piece.first + row, text.split("|") if text else ())
        acted |= int(np.bitwise_or.reduce(piece.actors))
    if not seconds:
        raise BadFile(f"{path} has no rows.")
    return _Table(
        path,
        columns,
        _offsets(seconds, path),
        np.frombuffer(known, np.bool_),
        np.frombuffer(used, np.bool_),
        instructions.end(len(seconds)),
        flags.end(len(seconds)),
        acted,
    )


def _sort_columns(names: Sequence[str], path: Path) -> tuple[list[str], list[str]]:
    """The columns that mean something here, and those that do not."""
    kept: list[str] = []
    dropped: list[str] = []
    for name in names:
        try:
            meant = name in FIXED or parse_key(name.removesuffix(PRESSES)) is not None
        except BadArgument:
            meant = False
        (kept if meant and name != "frame" else dropped).append(name)
    if "t_s" not in kept:
        raise BadFile(f"{path} has no column t_s with the time of each frame in seconds.")
    return kept, [name for name in dropped if name != "frame"]


def _offsets(seconds: array[float], path: Path) -> Int64:
    wrong = first_not_after(np.frombuffer(seconds, np.float64), equal_is_wrong=True)
    if wrong is not None:
        raise BadFile(f"{path}, row {wrong + 1}: its t_s does not follow the one before.")
    if seconds[-1] - seconds[0] > 10**7:
        raise BadFile(f"{path} claims to last {seconds[-1] - seconds[0]:.0f} s.")
    return offsets_of(seconds, 1e9)


@dataclass(kw_only=True)
class _Rows(Account):
    """What a table tells of the frames of its video."""

    table: _Table

    def gaps(self, edges_ns: Int64) -> Iterator[Gap]:
        for start, stop in stretches_of(~self.table.known):
            yield Gap(int(edges_ns[start]), int(edges_ns[stop]), GapReason.UNRECORDED)

    def events(self, edges_ns: Int64) -> Iterator[list[InputEvent]]:
        yield from read_pieces(self.table.pieces(), edges_ns, self.table.known)

    def labels(self) -> Iterator[Edit]:
        table = self.table
        for start, stop, text in table.instructions:
            yield self.label(LabelKind.INSTRUCTION, start, stop, text)
        for start, stop, flag in sorted(table.flags, key=lambda run: (run.word, run.start)):
            yield self.label(LabelKind.FLAG, start, stop, flag)
        for start, stop in stretches_of(~table.used):
            yield self.label(LabelKind.TRIM, start, stop)
