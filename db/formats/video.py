"""A video file becomes a session without inputs: nobody knows what was pressed, and an IDM may say it later.

The frames' own times are kept exactly, whatever the rate does; they count from the first frame (`db.formats.footage`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from db.errors import BadArgument
from db.formats.account import START_NS as START_NS
from db.formats.account import Account
from db.formats.arrival import bring_account
from db.formats.format import Asked, Format, Source, Tell
from db.formats.identity import file_id
from db.formats.report import Report
from db.store import Store

_ENDINGS = (".mp4", ".mkv", ".webm", ".mov", ".avi")


@dataclass(frozen=True)
class VideoReport:
    """What came of one file."""

    session_id: str
    created: bool
    """False where the library has this very file already."""
    frames: int
    seconds: float
    notes: tuple[str, ...]
    """What was changed or could not be kept, a sentence each."""

    @classmethod
    def of(cls, report: Report) -> VideoReport:
        notes = (*report.changed, *report.dropped)
        return cls(report.session_id, report.outcome == "imported", report.frames, report.seconds, notes)


def import_video(
    store: Store, path: Path, *, game: str, player: str, progress: Tell = lambda share: None
) -> VideoReport:
    """Makes a session of a video's first picture stream; sound and subtitles are left out.

    The session's id follows from the file's bytes, so that a file is imported once. Raises BadFile (with the place),
    DiskFull, StoreReadOnly, and Withdrawn where the session was taken back; nothing is left behind then.
    """
    return VideoReport.of(_Reader().bring(store, Source(path), Asked(game, player), progress))


class _Reader:
    """Files, or all videos in a folder and those in it."""

    def find(self, path: Path) -> Iterator[Source]:
        files = (
            [file for file in sorted(path.rglob("*")) if file.suffix.lower() in _ENDINGS and not file.is_dir()]
            if path.is_dir()
            else [path]
        )
        for file in files:
            yield Source(file, size=file.stat().st_size)

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        if not asked.game:
            raise BadArgument("A video does not say which game it shows; name it with --game, or in the field Game.")
        account = Account(
            session_id=file_id(source.path), video=source.path, game=asked.game, player=asked.player or "unknown"
        )
        return bring_account(store, account, source, asked, tell)


FORMAT = Format(
    "video",
    "videos without inputs, a session each; an IDM may say them later",
    reads=_Reader(),
    endings=_ENDINGS,
    is_common=True,
    needs_game=True,
)
