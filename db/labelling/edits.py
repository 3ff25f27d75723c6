"""The append-only edit log of the index, and its mirror `annotations.jsonl` in each session's folder."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, delete, func, insert, select, update

from db.errors import BadFile, Conflict, NotFound, from_os_error
from db.files import replace_text
from db.labelling.labels import Edit, LabelKind, review_of
from db.library import labelindex
from db.library.labelindex import EDIT_COLUMNS
from db.library.tables import EditRow, SessionRow
from db.recording.session import MIRROR_NAME

_AT_ONCE = 500
"""How many values one query names; databases have a limit."""


class Tail(NamedTuple):
    """What has come into a session's log after a place."""

    edits: list[Edit]
    """In the order in which they came."""
    place: int
    """Where to go on from."""
    total: int
    """How many edits the whole log has; fewer than one knows where some were destroyed for good."""


def read_log(connection: Connection, session_id: str) -> list[Edit]:
    """Every edit of a session, oldest id first."""
    rows = connection.execute(select(*EDIT_COLUMNS).where(EditRow.session_id == session_id).order_by(EditRow.id))
    return [Edit.model_validate(dict(row._mapping)) for row in rows]


def read_tail(connection: Connection, session_id: str, after: int = 0) -> Tail:
    """The edits of a session that came after a place (0: all of them)."""
    fresh = select(EditRow.place, *EDIT_COLUMNS).where(EditRow.session_id == session_id, EditRow.place > after)
    rows = [dict(row._mapping) for row in connection.execute(fresh.order_by(EditRow.place))]
    places = [row.pop("place") for row in rows]
    count = connection.execute(select(func.count()).select_from(EditRow).where(EditRow.session_id == session_id))
    return Tail([Edit.model_validate(row) for row in rows], places[-1] if places else after, count.scalar_one())


def append(connection: Connection, edits: Sequence[Edit]) -> None:
    """Adds edits within the caller's transaction.

    Raises Conflict where what an edit supersedes is missing or was superseded by somebody else, or where a first version
    is there already; NotFound where a session is.
    """
    sessions = {edit.session_id for edit in edits}
    _check_sessions(connection, sessions)
    versions = _check_versions(connection, edits)
    _insert(connection, edits)
    current = _current(versions, edits)
    labelindex.bring_up(connection, current)
    labelindex.refresh(connection, {edit.entity_id for edit in edits} - current.keys())
    _refresh_reviews(connection, edits)


def merge(connection: Connection, edits: Iterable[Edit]) -> int:
    """Adds the edits that are not there yet, by id, and returns how many; competing versions are kept as a conflict.

    Raises NotFound where a session is unknown.
    """
    offered = {edit.id: edit for edit in edits}
    sessions = {edit.session_id for edit in offered.values()}
    _check_sessions(connection, sessions)
    known: set[str] = set()
    ids = sorted(offered)
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        known.update(connection.execute(select(EditRow.id).where(EditRow.id.in_(some))).scalars())
    fresh = [offered[key] for key in ids if key not in known]
    _insert(connection, fresh)
    labelindex.refresh(connection, {edit.entity_id for edit in fresh})
    _refresh_reviews(connection, fresh)
    return len(fresh)


def forget_actions(connection: Connection, session_id: str, stretches: Sequence[tuple[int, int]]) -> None:
    """Deletes every version of each correction of actions that reaches into one of these stretches of frames.

    The one exception to the log's rule: what a person destroys must not stay readable in it.
    """
    doomed, last = _reaching(read_log(connection, session_id), stretches), _last_place(connection)
    for entity_id in doomed:
        connection.execute(delete(EditRow).where(EditRow.session_id == session_id, EditRow.entity_id == entity_id))
    newest = select(func.max(EditRow.place)).scalar_subquery()  # so that no place is given to another edit later
    connection.execute(update(EditRow).where(EditRow.place == newest).values(place=last))
    labelindex.refresh(connection, doomed)


def forget_mirrored_actions(folder: Path, stretches: Sequence[tuple[int, int]]) -> None:
    """The same in a folder's mirror; lines that are damaged go too, since nobody can tell what they name."""
    path = folder / MIRROR_NAME
    edits, _ = _read_lines(path)
    doomed = _reaching(edits, stretches)
    if path.exists():
        replace_text(path, "".join(e.model_dump_json() + "\n" for e in edits if e.entity_id not in doomed))
    with contextlib.suppress(FileNotFoundError):
        path.with_name(path.name + ".damaged").unlink()


def _reaching(edits: Iterable[Edit], stretches: Sequence[tuple[int, int]]) -> set[str]:
    """The corrections of which any version shares a frame with any stretch."""
    return {
        edit.entity_id
        for edit in edits
        if edit.kind is LabelKind.ACTION
        and any((edit.start or 0) < stop and start < (edit.stop or 0) for start, stop in stretches)
    }


def counts(connection: Connection) -> dict[str, int]:
    """How many edits each session has that has any."""
    grouped = select(EditRow.session_id, func.count()).group_by(EditRow.session_id)
    return {row[0]: row[1] for row in connection.execute(grouped)}


def refresh_review(connection: Connection, session_id: str) -> None:
    """Brings the session's derived review state up to date with its log."""
    kinds = select(*EDIT_COLUMNS).where(EditRow.session_id == session_id, EditRow.kind == LabelKind.REVIEW.value)
    log = [Edit.model_validate(dict(row._mapping)) for row in connection.execute(kinds)]
    connection.execute(update(SessionRow).where(SessionRow.id == session_id).values(review=review_of(log).value))


def _refresh_reviews(connection: Connection, fresh: Iterable[Edit]) -> None:
    """Only where one was spoken of, since that is looked for in the whole log of a session."""
    for session_id in {edit.session_id for edit in fresh if edit.kind is LabelKind.REVIEW}:
        refresh_review(connection, session_id)


def _check_sessions(connection: Connection, session_ids: Iterable[str]) -> None:
    for session_id in session_ids:
        if connection.execute(select(SessionRow.id).where(SessionRow.id == session_id)).first() is None:
            raise NotFound(f"There is no session {session_id} in this library.")


def _last_place(connection: Connection) -> int:
    """Who writes has the index alone, so that nobody else takes the next place."""
    return connection.execute(select(func.max(EditRow.place))).scalar() or 0


def _insert(connection: Connection, edits: Sequence[Edit]) -> None:
    """All in one statement: hundreds are committed at once, while somebody waits."""
    rows = [edit.model_dump() | {"place": place} for place, edit in enumerate(edits, _last_place(connection) + 1)]
    if rows:
        connection.execute(insert(EditRow), rows)


class _Version(NamedTuple):
    """What is asked of a version that is in the log, or about to be."""

    id: str
    author: str
    parent: str | None
    also: Sequence[str]


_Versions = dict[tuple[str, str], list[_Version]]
"""By session and entity."""


def _check_versions(connection: Connection, edits: Sequence[Edit]) -> _Versions:
    """Each against what is in the log of its entity, and against those before it; returns all of them."""
    versions: _Versions = {}
    columns = (EditRow.session_id, EditRow.entity_id, EditRow.id, EditRow.author, EditRow.parent, EditRow.also)
    ids = sorted({edit.entity_id for edit in edits})
    for first in range(0, len(ids), _AT_ONCE):
        found = select(*columns).where(EditRow.entity_id.in_(ids[first : first + _AT_ONCE])).order_by(EditRow.id)
        for row in connection.execute(found):
            version = _Version(row.id, row.author, row.parent, row.also)
            versions.setdefault((row.session_id, row.entity_id), []).append(version)
    for edit in edits:
        known = versions.setdefault((edit.session_id, edit.entity_id), [])
        _check_version(edit, known)
        known.append(_Version(edit.id, edit.author, edit.parent, edit.also))
    return versions


def _current(versions: _Versions, edits: Sequence[Edit]) -> dict[str, Edit]:
    """By entity, of these edits the one that is in force and has no rival: nearly all that is ever committed."""
    fresh = {edit.id: edit for edit in edits}
    entities = Counter(entity_id for _, entity_id in versions)
    current = {}
    for (_, entity_id), known in versions.items():
        superseded = {earlier for version in known for earlier in (version.parent, *version.also)}
        tips = [version.id for version in known if version.id not in superseded]
        if len(tips) == 1 and tips[0] in fresh and entities[entity_id] == 1:
            current[entity_id] = fresh[tips[0]]
    return current


def _check_version(edit: Edit, versions: Sequence[_Version]) -> None:
    wanted = set(edit.supersedes)
    if wanted - {version.id for version in versions}:
        raise Conflict("The label being changed is not there any more; the current labels were loaded again.")
    rivals = [v.author for v in versions if not wanted or v.parent in wanted or wanted.intersection(v.also)]
    if rivals:
        raise Conflict(f"{rivals[-1]} changed this label in the meantime; the current labels were loaded again.")


def append_to_mirror(folder: Path, edits: Sequence[Edit]) -> None:
    """Appends committed edits to the folder's mirror, durably.

    A torn last line (a crash) is cut off first: its edit is in the index, and `repair_mirror` writes it again.
    """
    path = folder / MIRROR_NAME
    try:
        if _is_torn(path):
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
        with path.open("ab") as file:
            file.writelines(edit.model_dump_json().encode() + b"\n" for edit in edits)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise from_os_error(error, path) from None


def read_mirror(folder: Path, name: str = MIRROR_NAME) -> list[Edit]:
    """The edits in a session's folder; an incomplete last line (a crash) is left out.

    Raises BadFile with the line's number where any other line is not an edit.
    """
    edits, bad = _read_lines(folder / name)
    if bad:
        raise BadFile(f"{folder / name}, line {bad[0]}, is not an annotation; the file was not read.")
    return edits


def salvage_mirror(folder: Path) -> tuple[list[Edit], str]:
    """The edits of every whole line of a session's mirror, and a sentence about the lines that are not, or ''."""
    edits, bad = _read_lines(folder / MIRROR_NAME)
    lines = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
    return edits, f"{folder / MIRROR_NAME} is damaged in line {lines}; the other annotations were read." if bad else ""


def mirror_lags(folder: Path, count: int) -> bool:
    """Whether the mirror holds fewer than `count` lines or ends in a torn one; cheap, as it reads no line."""
    path = folder / MIRROR_NAME
    try:
        return path.read_bytes().count(b"\n") < count or _is_torn(path)
    except OSError:
        return True


def repair_mirror(folder: Path, log: Sequence[Edit]) -> bool:
    """Rewrites the mirror where it lags behind the log. Edits that only the mirror holds are kept. True if rewritten.

    A mirror with damaged lines is kept beside the new one as `annotations.jsonl.damaged`.
    """
    path = folder / MIRROR_NAME
    edits, bad = _read_lines(path)
    mirrored = {edit.id: edit for edit in edits}
    if not bad and not _is_torn(path) and all(edit.id in mirrored for edit in log):
        return False
    whole = mirrored | {edit.id: edit for edit in log}
    try:
        if bad:
            path.replace(path.with_name(path.name + ".damaged"))
    except OSError as error:
        raise from_os_error(error, path) from None
    replace_text(path, "".join(whole[key].model_dump_json() + "\n" for key in sorted(whole)))
    return True


def _read_lines(path: Path) -> tuple[list[Edit], list[int]]:
    """The edits of the lines that are edits, and the numbers of the others but for a torn last line."""
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else []
    except OSError as error:
        raise from_os_error(error, path) from None
    edits, bad = [], []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            edits.append(Edit.model_validate_json(line))
        except ValidationError:
            if number < len(lines):
                bad.append(number)
    return edits, bad


def _is_torn(path: Path) -> bool:
    """Whether a file ends within a line."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
