"""A video and a table of its frames become a session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile
from db.files import read_object
from db.formats.account import Account, bring_account, known
from db.formats.format import Asked, Source, Tell
from db.formats.frames.layout import FIXED, PRESSES
from db.formats.identity import file_id
from db.formats.report import Report
from db.formats.rowevents import RowEvents, parse_numbers
from db.formats.staging import ABOUT
from db.formats.table import read_table
from db.formats.video import VideoReport
from db.labelling.labels import Edit, LabelKind
from db.recording.events import Gap, GapReason, InputEvent
from db.recording.keys import parse as parse_key
from db.recording.stretches import stretches_of
from db.store import Store

_TABLES, _VIDEOS = ("frames.parquet", "frames.csv"), (".mkv", ".mp4", ".webm", ".mov", ".avi")
_ABOUT_MAX = 1 << 20


def import_frames(
    store: Store, folder: Path, *, game: str = "", player: str = "", progress: Tell = lambda share: None
) -> VideoReport:
    """Makes a session of such a folder; the report names the columns that could not be kept.

    game, player: where they are not given `about.json` says it. Raises BadFile with the place, BadArgument where no game
    is named, DiskFull, StoreReadOnly and Withdrawn; nothing is left behind then.
    """
    return VideoReport.of(Reader().bring(store, Source(folder), Asked(game, player), progress))


class Reader:
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
        about = read_object(folder / ABOUT, _ABOUT_MAX) if (folder / ABOUT).exists() else {}
        game = asked.game or str(about.get("game", ""))
        player = asked.player or str(about.get("player", "")) or "unknown"
        if not game:
            raise BadArgument(f"Nothing says which game {folder} shows; name it with --game, or in the field Game.")
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


def _table_in(folder: Path) -> Path | None:
    return next((folder / name for name in _TABLES if (folder / name).is_file()), None)


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
            meant = name in FIXED or parse_key(name.removesuffix(PRESSES)) is not None
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
