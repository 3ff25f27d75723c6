"""Taking a session back: marked where it was recorded, removed for good wherever its notice is brought in.

<library>/sessions/<id>/withdrawal.json     the mark, beside the recording itself
<library>/withdrawn/<id>.json               what stays of a session that a notice removed, so that it never comes back
<library>/sent.json                         which sessions were sent, when and as which file
<name>.playtape-withdrawal                  the notice for those whom the session was sent to: the mark as a file
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from filelock import FileLock
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import Connection, insert, select

from db.errors import BadArgument, BadFile, NotFound, TooNew, Withdrawn, from_os_error
from db.files import check_plain, make_folder, replace_text
from db.library.tables import SessionRow, WithdrawalRow
from db.recording.session import is_recording, read_meta
from db.upkeep.leftovers import clear_cached, doomed_folder

if TYPE_CHECKING:
    from db.store import Store

FORMAT = 1
SUFFIX = ".playtape-withdrawal"
MARK_NAME = "withdrawal.json"
_TOMBSTONES, _SENT_NAME = "withdrawn", "sent.json"
_MAX_BYTES = 4096
"""A notice names one session and one person; nothing larger is one."""


class Withdrawal(BaseModel):
    """Which session was taken back by its player, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["playtape-withdrawal"] = "playtape-withdrawal"
    format: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT
    session_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    player: Annotated[str, Field(max_length=200)]
    at: AwareDatetime

    def sentence(self) -> str:
        """What a person is told of it, without a full stop."""
        who = self.player or "its player"
        return f"Session {self.session_id} was withdrawn by {who} on {self.at.astimezone():%Y-%m-%d}"


class Sending(BaseModel):
    """One time that a session was written out to be sent."""

    model_config = ConfigDict(frozen=True)

    player: str
    at: AwareDatetime
    file: str


@dataclass(frozen=True)
class Removal:
    """What bringing in a notice did. `removed` is False where the library had nothing of the session."""

    withdrawal: Withdrawal
    removed: bool


# Where it was recorded


def withdraw(store: Store, session_id: str) -> Withdrawal:
    """Marks a session as taken back: it is left out of searches and never exported again. Its files stay.

    A second time changes nothing. One that was sent from here and then deleted can be withdrawn too. Raises NotFound,
    BadArgument while it is being recorded, DiskFull, StoreReadOnly.
    """
    known = find_withdrawal(store, session_id)
    if known is not None:
        return known
    try:
        folder = store.session_folder(session_id)
    except NotFound:
        sent = sendings(store.root).get(session_id)
        if not sent:
            raise
        made = Withdrawal(session_id=session_id, player=sent[-1].player, at=datetime.now(UTC))
        _keep_tombstone(store, made)
        return made
    if is_recording(folder):
        raise BadArgument(f"Session {session_id} is being recorded; stop the recording first.")
    made = Withdrawal(session_id=session_id, player=read_meta(folder).player[:200], at=datetime.now(UTC))
    _write(folder / MARK_NAME, made)
    store.note_withdrawal(made)
    return made


def write_notice(withdrawal: Withdrawal, target: Path) -> Path:
    """Writes the notice for those whom the session was sent to, into a folder or as a file; returns the file.

    Raises DiskFull, StoreReadOnly, BadFile.
    """
    path = target / f"{withdrawal.session_id}{SUFFIX}" if target.is_dir() else target
    _write(path, withdrawal)
    return path


def note_sent(store: Store, session_id: str, file: Path) -> Sending:
    """Remembers that a session was written to `file` to be sent. Raises NotFound, BadFile, DiskFull, StoreReadOnly."""
    player = read_meta(store.session_folder(session_id)).player
    made = Sending(player=player, at=datetime.now(UTC), file=str(file))
    path = store.root / _SENT_NAME
    with FileLock(path.with_name(f"{_SENT_NAME}.lock")):  # another program may be sending too
        known = sendings(store.root)
        known[session_id] = (*known.get(session_id, ()), made)
        replace_text(path, _SENT.dump_json(known, indent=1).decode() + "\n")
    return made


def sendings(root: Path) -> dict[str, tuple[Sending, ...]]:
    """Of each session that was sent from this library: every time, oldest first. Raises BadFile."""
    path = root / _SENT_NAME
    try:
        return _SENT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise BadFile(f"{path} is damaged ({error.errors()[0]['msg']}); move it away to go on.") from None
    except OSError as error:
        raise from_os_error(error, path) from None


# Everywhere


def find_withdrawal(store: Store, session_id: str) -> Withdrawal | None:
    """How a session was taken back, whether it is still here or was removed; None where it was not. Raises BadFile."""
    for path in (store.sessions_dir / session_id / MARK_NAME, _tombstone(store.root, session_id)):
        if path.exists():
            return read_notice(path)
    return None


def refuse_withdrawn(store: Store, session_id: str) -> None:
    """Raises Withdrawn where the session was taken back."""
    found = find_withdrawal(store, session_id)
    if found is not None:
        raise Withdrawn(f"{found.sentence()}; it may not be used or passed on any more.")


def note_mark(connection: Connection, withdrawal: Withdrawal) -> None:
    """Notes in the index that a session was taken back, where the index knows it; once."""
    session_id = withdrawal.session_id
    known = connection.execute(select(SessionRow.id).where(SessionRow.id == session_id)).first()
    noted = connection.execute(select(WithdrawalRow.at).where(WithdrawalRow.session_id == session_id)).first()
    if known is not None and noted is None:
        row = {"session_id": session_id, "player": withdrawal.player, "at": withdrawal.at}
        connection.execute(insert(WithdrawalRow).values(**row))


def enter_mark(connection: Connection, folder: Path) -> None:
    """Notes in the index what a session's folder says about its withdrawal, if anything. Raises BadFile."""
    if (folder / MARK_NAME).exists():
        note_mark(connection, read_notice(folder / MARK_NAME).model_copy(update={"session_id": folder.name}))


# Where it was sent to


def read_notice(path: Path) -> Withdrawal:
    """A withdrawal notice, which may be a stranger's. Raises BadFile and TooNew."""
    check_plain(path)
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise from_os_error(error, path) from None
    if len(text) > _MAX_BYTES:
        raise BadFile(f"{path} is too large for a withdrawal notice.")
    try:
        if _Header.model_validate_json(text).format > FORMAT:
            raise TooNew(f"{path} was written by a newer Playtape; update Playtape to read it.")
        return Withdrawal.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadFile(f"{path} is not a withdrawal notice: {place}: {first['msg']}.") from None


def apply_notice(store: Store, path: Path) -> Removal:
    """Removes the session that a notice names from this library for good: files, labels, caches.

    What stays is the notice itself, by which a later import of the session is refused. Safe to repeat, also after being
    cut off. Raises BadFile, TooNew, DiskFull, StoreReadOnly, and BadArgument where the session is another player's, is
    being recorded, or was withdrawn in this very library, where its player decides about their own copy.
    """
    notice = read_notice(path)
    folder = store.sessions_dir / notice.session_id
    known = folder.is_dir()
    if (folder / MARK_NAME).exists():
        raise BadArgument(f"{notice.sentence()}, in this library; `playtape-db delete` removes the recording itself.")
    if known and is_recording(folder):
        raise BadArgument(f"Session {notice.session_id} is being recorded; stop the recording first.")
    if known and _player_of(folder) not in (None, notice.player):
        raise BadArgument(f"{path} was written for another player than the one of session {notice.session_id}.")
    _keep_tombstone(store, notice)
    if known:
        store.delete(notice.session_id)
    labelled = store.forget(notice.session_id)
    try:
        clear_cached(store.root, notice.session_id)
        shutil.rmtree(doomed_folder(folder), ignore_errors=not doomed_folder(folder).exists())
    except OSError as error:
        raise from_os_error(error, error.filename or folder) from None
    store.scrub()
    return Removal(notice, known or labelled)


# Inside

_SENT = TypeAdapter(dict[str, tuple[Sending, ...]])


class _Header(BaseModel):
    format: int


def _write(path: Path, withdrawal: Withdrawal) -> None:
    replace_text(path, withdrawal.model_dump_json(indent=1) + "\n")


def _tombstone(root: Path, session_id: str) -> Path:
    return root / _TOMBSTONES / f"{session_id}.json"


def _keep_tombstone(store: Store, withdrawal: Withdrawal) -> None:
    path = _tombstone(store.root, withdrawal.session_id)
    if path.exists():
        return
    try:
        make_folder(path.parent)
    except OSError as error:
        raise from_os_error(error, path.parent) from None
    _write(path, withdrawal)


def _player_of(folder: Path) -> str | None:
    """Whose session it is; None where that cannot be read any more, which must not keep it from being removed."""
    try:
        return read_meta(folder).player[:200]
    except (BadFile, NotFound, TooNew):
        return None
