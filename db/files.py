"""Small files that are always whole: written beside the old one, made durable, then put in its place; and their reading."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from db.errors import BadFile, from_os_error


def replace_text(path: Path, text: str) -> None:
    """Writes a whole file so that at any instant either the old or the new text is there.

    Raises DiskFull, StoreReadOnly or BadFile; then the old text stays.
    """
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """The same for bytes."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise from_os_error(error, path) from None


def encodable(text: str) -> str:
    """The same with `\\udcff` for each byte of a file's name that is no UTF-8, as on disks of long ago: JSON reads it back."""
    return text.encode(errors="backslashreplace").decode()


def read_object(path: Path, most_bytes: int) -> dict[str, Any]:
    """The JSON object in a file that somebody else may have written. Raises BadFile, also where it is larger than it should be."""
    try:
        check_plain(path)
        with path.open("rb") as file:
            text = file.read(most_bytes + 1)
        if len(text) > most_bytes:
            raise BadFile(f"{path} is too large to be what it should be.")
        said = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not JSON: {error}.") from None
    except OSError as error:
        raise from_os_error(error, path) from None
    if not isinstance(said, dict):
        raise BadFile(f"{path} is not an object.")
    return said


def check_plain(path: Path) -> None:
    """Raises BadFile where a path of somebody else leads to no plain file: a pipe keeps its reader waiting, a device never ends."""
    try:
        kind = path.stat().st_mode
    except OSError as error:
        raise from_os_error(error, path) from None
    if not stat.S_ISREG(kind):
        raise BadFile(f"{path} is not a file.")


def check_near(path: Path, folder: Path, teller: Path) -> None:
    """Raises BadFile where a file that `teller`, another one, refers to is no plain file, or a link that leads out of `folder`.

    It may lead to where the teller's own link leads: downloads lie so in caches that keep the files elsewhere.
    """
    check_plain(path)
    real = path.resolve()
    if not any(real.is_relative_to(place) for place in (folder.resolve(), teller.resolve().parent)):
        raise BadFile(f"{path} is a link that leads out of {folder}; put the file itself there.")


def sync_folder(folder: Path) -> None:
    """Makes new names in a folder durable, where the platform can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep_private() -> None:
    """From here on every file and folder that this process makes is its owner's only, and its children's are too.

    Set for the process, since SQLite and FFmpeg make files as well and take no mode.
    """
    if os.name == "posix":
        os.umask(os.umask(0o077) | 0o077)


def make_folder(folder: Path) -> None:
    """Makes a folder and what is missing above it, if it is not there, private to its owner; its name outlives a power cut.

    Raises OSError.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in missing:
        with contextlib.suppress(OSError):  # a folder above may be another's, where names are not ours to sync
            sync_folder(made.parent)
