"""The file of one session: a `.playtape` archive (ZIP, stored) of its folder with a manifest of sizes and hashes.

One from a stranger is hostile until it is checked: only known names are read, sizes are bounded by what the manifest claims, and
members are stored and never compressed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.errors import BadFile, TooNew, from_os_error
from db.files import check_plain
from db.recording.session import FACTS_NAME, META_NAME, MIRROR_NAME

FORMAT = 2
"""Since 2, annotations name their steps and may settle conflicts, which readers of format 1 take for damage."""
SUFFIX = ".playtape"
MANIFEST = "manifest.json"
_MANIFEST_MAX = 1 << 20
_NAME = re.compile(rf"{re.escape(META_NAME)}|{re.escape(FACTS_NAME)}|{re.escape(MIRROR_NAME)}|video-\d{{3,4}}\.mkv")
_CHUNK, _MOST_AT_ONCE = 1 << 20, 4 << 20
_MOST_BYTES = {META_NAME: 4 << 20, FACTS_NAME: 2 << 30, MIRROR_NAME: 256 << 20}


class Described(BaseModel):
    """What a manifest says of a file: its size in bytes, and its hash."""

    model_config = ConfigDict(extra="forbid")
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Header(BaseModel):
    format: int


class Manifest(BaseModel):
    """What an archive says of itself, in a member of its own that stands first."""

    model_config = ConfigDict(extra="forbid")
    format: int
    session_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    revision: int
    files: dict[str, Described]


class _Careful(io.BufferedReader):
    """A file that is read in pieces alone: the directory at an archive's end may claim to be as large as the archive."""

    def read(self, size: int | None = -1, /) -> bytes:
        read = super().read(_MOST_AT_ONCE + 1 if size is None or size < 0 else min(size, _MOST_AT_ONCE + 1))
        if len(read) > _MOST_AT_ONCE:
            raise zipfile.BadZipFile("its directory is too large")
        return read


@contextlib.contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive that may be a stranger's. Raises BadFile, also for what goes wrong while it is read."""
    check_plain(path)
    try:
        with _Careful(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error) as error:
        raise BadFile(f"{path} is not a whole Playtape session: {error}.") from None
    except OSError as error:
        raise from_os_error(error, error.filename or path) from None


def read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """Raises BadFile, and TooNew where a newer Playtape wrote it."""
    try:
        info = archive.getinfo(MANIFEST)
        if info.file_size > _MANIFEST_MAX or info.compress_type != zipfile.ZIP_STORED:
            raise BadFile(f"{path} is not a Playtape session: its {MANIFEST} is too large or compressed.")
        text = archive.read(info)
        written = _Header.model_validate_json(text).format
        if written > FORMAT:
            raise TooNew(f"{path} was written by a newer Playtape (format {written}); update Playtape to read it.")
        manifest = Manifest.model_validate_json(text)
    except KeyError:
        raise BadFile(f"{path} is not a Playtape session: it has no {MANIFEST}.") from None
    except ValidationError as error:
        raise BadFile(f"{path} has a damaged {MANIFEST}: {error.errors()[0]['msg']}.") from None
    strange = [name for name in manifest.files if not _NAME.fullmatch(name)]
    if strange:
        raise BadFile(f"{path} holds a file that no session has: {strange[0]!r}.")
    for name, most in _MOST_BYTES.items():
        if name in manifest.files and manifest.files[name].size > most:
            raise BadFile(f"{path} holds {name} of {manifest.files[name].size:,} bytes; no session has over {most:,}.")
    if sum(described.size for described in manifest.files.values()) > path.stat().st_size:
        raise BadFile(f"{path} is smaller than the files that its {MANIFEST} lists.")
    return manifest


def unpacked(archive: zipfile.ZipFile, name: str, described: Described, path: Path) -> Iterator[bytes]:
    """The bytes of a member, no more than described; raises BadFile where they differ from the manifest.

    Members are stored and never compressed, so that none can be larger than the archive.
    """
    sha, size = hashlib.sha256(), 0
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise BadFile(f"{path} lacks {name}, which its manifest lists.") from None
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != described.size:
        raise BadFile(f"{name} in {path} is damaged: it differs from its manifest.")
    with archive.open(info) as member:
        while chunk := member.read(_CHUNK):
            size += len(chunk)
            sha.update(chunk)
            yield chunk
    if size != described.size or sha.hexdigest() != described.sha256:
        raise BadFile(f"{name} in {path} is damaged: it differs from its manifest.")


class Progress:
    """Counts bytes and tells the share of `total`."""

    def __init__(self, total: int, tell: Callable[[float], None]) -> None:
        self._total, self._tell, self._done = max(total, 1), tell, 0

    def add(self, count: int) -> None:
        self._done += count
        self._tell(min(self._done / self._total, 1.0))


def describe(path: Path, progress: Progress) -> Described:
    """A file as a manifest says it. Raises OSError."""
    sha, size = hashlib.sha256(), 0
    for chunk in _chunks(path, progress):
        sha.update(chunk)
        size += len(chunk)
    return Described(size=size, sha256=sha.hexdigest())


def store_file(archive: zipfile.ZipFile, path: Path, progress: Progress) -> None:
    """Adds a file under its name. Raises OSError."""
    with archive.open(zipfile.ZipInfo.from_file(path, path.name), "w", force_zip64=True) as member:
        for chunk in _chunks(path, progress):
            member.write(chunk)


def _chunks(path: Path, progress: Progress) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            progress.add(len(chunk))
