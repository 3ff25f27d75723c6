"""Small files that are always whole: written beside the old one, made durable, then put in its place; and their reading."""

from __future__ import annotations

import contextlib
import json
import os
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


def read_object(path: Path, most_bytes: int) -> dict[str, Any]:
    """The JSON object in a file that somebody else may have written. Raises BadFile, also where it is larger than it should be."""
    try:
        if path.stat().st_size > most_bytes:
            raise BadFile(f"{path} is too large to be what it should be.")
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is not JSON: {error}.") from None
    except OSError as error:
        raise from_os_error(error, path) from None
    if not isinstance(said, dict):
        raise BadFile(f"{path} is not an object.")
    return said


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
