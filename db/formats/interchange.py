"""One session out of a library into a file (`db.formats.archive`), and in again.

Importing what is there already merges its annotations. Nothing is visible before all of an archive is checked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from db.errors import BadFile, Conflict, DiskFull, NotFound, PlaytapeError, TooNew, from_os_error
from db.files import sync_folder
from db.formats.archive import (
    FORMAT,
    MANIFEST,
    SUFFIX,
    Described,
    Manifest,
    Progress,
    describe,
    opened,
    read_manifest,
    store_file,
    unpacked,
)
from db.labelling import edits as edit_log
from db.labelling.labels import Edit, conflicts
from db.recording import factfile
from db.recording.reader import Recording
from db.recording.session import FACTS_NAME, META_NAME, MIRROR_NAME, SessionMeta, read_meta
from db.recording.verification import verify
from db.store import Store
from db.upkeep.leftovers import staging_folder
from db.upkeep.withdrawal import refuse_withdrawn

_MOST_EDITS = 200_000
_MOST_ROWS = {"frame": 10_000_000, "event": 20_000_000, "gap": 100_000}
"""More of either was made to do harm: they are read whole."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `conflicts` counts labels that two people changed independently; the newest is in force."""

    session_id: str
    created: bool
    edits_added: int
    conflicts: int


def export_session(
    store: Store, session_id: str, target: Path, *, progress: Callable[[float], None] = lambda share: None
) -> Path:
    """Writes one session with its annotations to `target` (a folder, or a file's name) and returns the file.

    The file appears whole or not at all. progress: told the share done, in [0, 1], every few milliseconds; what it raises
    ends the export. Raises NotFound, Withdrawn, BadFile (also while the session is being recorded), DiskFull.
    """
    refuse_withdrawn(store, session_id)
    folder = store.session_folder(session_id)
    meta = Recording(folder).meta
    edit_log.repair_mirror(folder, store.edits(session_id))
    path = target / f"{session_id}{SUFFIX}" if target.is_dir() else target
    names = _names(folder, meta)
    fresh = path.with_name(path.name + ".new")
    try:
        tell = Progress(sum((folder / name).stat().st_size for name in names) * 2, progress)  # hashed, then copied
        files = {name: describe(folder / name, tell) for name in names}
        manifest = Manifest(format=FORMAT, session_id=session_id, revision=meta.revision, files=files)
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
            for name in names:
                store_file(archive, folder / name, tell)
        fresh.replace(path)
    except OSError as error:
        raise from_os_error(error, error.filename or path) from None
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    return path


def is_exported(store: Store, session_id: str, path: Path) -> bool:
    """Whether a file is the session's archive as it would be written now: of the same revision, with the same annotations."""
    folder = store.session_folder(session_id)
    try:
        with opened(path) as archive:
            theirs = read_manifest(archive, path)
        edit_log.repair_mirror(folder, store.edits(session_id))
        names = _names(folder, read_meta(folder))
        if (theirs.format, theirs.session_id, set(theirs.files)) != (FORMAT, session_id, set(names)):
            return False
        return all(_is_same(folder / name, theirs.files[name]) for name in names)
    except (PlaytapeError, OSError):
        return False


def _is_same(path: Path, theirs: Described) -> bool:
    """Pictures and events change with the revision alone, which the metadata tells; so their sizes are enough."""
    if path.stat().st_size != theirs.size:
        return False
    return path.name not in (META_NAME, MIRROR_NAME) or describe(path, Progress(1, lambda share: None)) == theirs


def _names(folder: Path, meta: SessionMeta) -> list[str]:
    """Of the files that an archive has."""
    return [META_NAME, FACTS_NAME, *(s.name for s in meta.segments)] + [MIRROR_NAME] * (folder / MIRROR_NAME).exists()


def import_session(store: Store, path: Path, *, progress: Callable[[float], None] = lambda share: None) -> ImportReport:
    """Brings one exported session in; if the library has it already, only its new annotations are added.

    progress: told the share done, in [0, 1], every few milliseconds while files are unpacked; what it raises ends the import. Raises BadFile (with the place), TooNew, DiskFull, and Conflict where the library holds another revision of the
    session's recording, and Withdrawn where its player took it back. Nothing is left behind by a failed import.
    """
    with opened(path) as archive, _storing(store.root):
        manifest = read_manifest(archive, path)
        refuse_withdrawn(store, manifest.session_id)
        if (store.sessions_dir / manifest.session_id).is_dir():
            return _merge(store, archive, manifest, path)
        return _create(store, archive, manifest, path, progress)


def peek_session(path: Path) -> tuple[str, dict[str, int]]:
    """The id of the session in an archive, and the sizes of its files, as its manifest claims. Raises as `import_session`."""
    with opened(path) as archive:
        manifest = read_manifest(archive, path)
    return manifest.session_id, {name: described.size for name, described in manifest.files.items()}


def _create(
    store: Store, archive: zipfile.ZipFile, manifest: Manifest, path: Path, progress: Callable[[float], None]
) -> ImportReport:
    target = store.sessions_dir / manifest.session_id
    tell = Progress(sum(described.size for described in manifest.files.values()), progress)
    with staging_folder(store.sessions_dir) as staging:
        for name, described in manifest.files.items():
            with (staging / name).open("wb") as file:
                for chunk in unpacked(archive, name, described, path):
                    file.write(chunk)
                    tell.add(len(chunk))
                file.flush()
                os.fsync(file.fileno())
        with _naming(path, staging):
            edits = _inspect(staging, manifest)
        try:
            staging.rename(target)
        except OSError:
            if target.is_dir():  # another program brought it in meanwhile
                return _merge(store, archive, manifest, path)
            raise
    sync_folder(store.sessions_dir)
    try:
        store.enter(manifest.session_id)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return ImportReport(manifest.session_id, True, len(edits), len(conflicts(edits)))


def _inspect(staging: Path, manifest: Manifest) -> list[Edit]:
    """The annotations of an unpacked session. Raises BadFile or TooNew where anything about the session is wrong."""
    meta = read_meta(staging)
    if meta.id != manifest.session_id or meta.revision != manifest.revision:
        raise BadFile(f"The manifest and {META_NAME} name different sessions.")
    for table, count in factfile.count_rows(
        staging
    ).items():  # before they are read; and `verify` would tell TooNew as damage
        if count > _MOST_ROWS[table]:
            raise BadFile(
                f"{FACTS_NAME} holds {count:,} rows of the table {table}; no session has over {_MOST_ROWS[table]:,}."
            )
    problems = verify(staging, decode=False)
    if problems:
        raise BadFile(problems[0])
    return _read_annotations(staging, meta.id)


def _read_annotations(folder: Path, session_id: str) -> list[Edit]:
    """Those of an unpacked archive. Raises BadFile."""
    path = folder / MIRROR_NAME
    if path.exists():
        with path.open("rb") as file:
            if sum(1 for _ in file) > _MOST_EDITS:
                raise BadFile(f"{path} holds over {_MOST_EDITS:,} annotations.")
    edits = edit_log.read_mirror(folder)
    if any(edit.session_id != session_id for edit in edits):
        raise BadFile("The annotations are another session's.")
    return edits


@contextlib.contextmanager
def _storing(root: Path) -> Iterator[None]:
    """Names the library, and not the archive, where there is no room left."""
    try:
        yield
    except OSError as error:
        meant = from_os_error(error, root)
        raise meant if isinstance(meant, DiskFull) else error from None


@contextlib.contextmanager
def _naming(path: Path, folder: Path) -> Iterator[None]:
    """Names the archive in errors about what was unpacked from it into `folder`."""
    try:
        yield
    except (BadFile, TooNew, NotFound) as error:
        kind = TooNew if isinstance(error, TooNew) else BadFile
        text = str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), "it")
        raise kind(f"{path} cannot be used: {text}") from None


def _merge(store: Store, archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> ImportReport:
    session_id = manifest.session_id
    folder = store.session_folder(session_id)
    try:
        mine = read_meta(folder).revision
        _enter_if_unknown(store, session_id)
    except (BadFile, NotFound) as error:
        raise BadFile(f"The library's own copy of this session cannot be used; move {folder} away. {error}") from None
    if mine != manifest.revision:
        raise Conflict(f"{path} holds revision {manifest.revision} of the session, the library revision {mine}.")
    before = store.edits(session_id)
    described = manifest.files.get(MIRROR_NAME)
    if described is not None:
        with staging_folder(store.sessions_dir) as staging:
            theirs = staging / MIRROR_NAME
            with theirs.open("wb") as file:
                file.writelines(unpacked(archive, MIRROR_NAME, described, path))
            with _naming(path, theirs.parent):
                offered = _read_annotations(theirs.parent, session_id)
        store.merge(session_id, offered)
    after = store.edits(session_id)
    return ImportReport(session_id, False, len(after) - len(before), len(conflicts(after)))


def _enter_if_unknown(store: Store, session_id: str) -> None:
    try:
        store.summary(session_id)
    except NotFound:
        store.enter(session_id)
