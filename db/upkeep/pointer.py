"""Where a library went that was moved: a small file in the folder where it was before.

Whoever opens that folder is led on to the new one. A library may be moved back to a folder that it left: of two files
that point at each other the later one counts, so that writing one file is what moves a library, at one instant.
"""

from __future__ import annotations

import time
from pathlib import Path

from pydantic import Field, ValidationError

from db.errors import BadFile, NotFound
from db.files import replace_text
from db.library.index import NAME as INDEX
from db.specs import Spec

NAME = "moved-to.json"
ARRIVING = "arriving.jsonl"
"""In a folder that a library is on its way to: what is there already. Its first line names the folder it comes from."""
ARRIVED = "arrived.jsonl"
"""The same when the library is there, until the folder it came from is empty."""
_MOST_HOPS = 32


class Pointer(Spec):
    """Where to, and when (ns since 1970)."""

    to: str = Field(min_length=1)
    at_ns: int = Field(ge=0)


class Origin(Spec):
    """The first line of ARRIVING."""

    come_from: str = Field(min_length=1)


def follow(folder: Path) -> Path:
    """Where the library is that lies, or once lay, in this folder: the folder itself where nothing says otherwise.

    Raises NotFound where the new folder is not there, or not whole yet, and BadFile where a pointer is damaged.
    """
    here, latest_ns = folder, -1
    for _ in range(_MOST_HOPS):
        pointer = read_pointer(here)
        if pointer is None or pointer.at_ns <= latest_ns:
            break
        here, latest_ns = Path(pointer.to), pointer.at_ns
    if latest_ns >= 0 and not (here / INDEX).exists():
        raise NotFound(
            f"The library was moved from {folder} to {here}, which is not there now; connect its disk and try again."
        )
    _check_whole(here)
    return here


def read_pointer(folder: Path) -> Pointer | None:
    """None where there is none. Raises BadFile."""
    path = folder / NAME
    try:
        return Pointer.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError):
        raise BadFile(f"{path}, which says where the library is, cannot be read; mend it or move it away.") from None


def write_pointer(folder: Path, to: Path) -> None:
    """From here on the library of `folder` is the one in `to`. Raises DiskFull, StoreReadOnly, BadFile."""
    earlier = [pointer.at_ns for pointer in (read_pointer(folder), read_pointer(to)) if pointer is not None]
    at_ns = max([time.time_ns(), *(known + 1 for known in earlier)])
    replace_text(folder / NAME, Pointer(to=str(to), at_ns=at_ns).model_dump_json() + "\n")


def read_origin(path: Path) -> Path | None:
    """The folder that the first line of a list of arrivals names; None where there is no such list or line."""
    try:
        with path.open("rb") as file:
            return Path(Origin.model_validate_json(file.readline()).come_from)
    except (OSError, ValidationError):
        return None


def _check_whole(folder: Path) -> None:
    """Raises NotFound where a library is still on its way to this folder."""
    if not (folder / ARRIVING).exists():
        return
    origin = read_origin(folder / ARRIVING)
    pointer = read_pointer(origin) if origin is not None else None
    if pointer is None or Path(pointer.to) != folder:
        raise NotFound(
            f"A library is on its way from {origin or 'elsewhere'} to {folder} and not whole yet; open it where it comes "
            f"from, or finish with `playtape-db move {folder}`."
        )
