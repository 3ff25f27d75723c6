"""Which format a file or a folder is of, told by names: what is in the files is for the readers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from db.errors import BadFile
from db.formats.format import Format
from db.formats.registry import FORMATS
from db.library.index import NAME as INDEX_NAME
from db.recording.session import FACTS_NAME

MOST_LEVELS, MOST_ENTRIES = 4, 20_000
"""How far is looked into a folder before it is given up."""
_READ = sorted((kind for kind in FORMATS.values() if kind.reads), key=lambda kind: kind.is_common)


@dataclass(frozen=True)
class Clue:
    """What tells."""

    kind: Format
    path: Path
    """What is to be imported: the folder where a file in it was named that means nothing alone."""
    by: str
    """The name that tells."""


def recognise(path: Path) -> Clue | None:
    """The format of a path; None where nothing tells, nothing is there, or it cannot be looked at."""
    with suppress(OSError, BadFile):
        refuse_library(path)
        return next(iter(_in_folder(path) if path.is_dir() else _of_file(path)), None)
    return None


def refuse_library(path: Path) -> None:
    """Raises BadFile for a library's folder, that of its sessions, and one of these: of what lies there much looks like other formats."""
    folders = (path, path.parent) if path.name == "sessions" else (path,)
    if (path / FACTS_NAME).is_file() or any((folder / INDEX_NAME).is_file() for folder in folders):
        raise BadFile(f"{path} is of a Playtape library; export the sessions there, and import the files that makes.")


def _of_file(path: Path) -> Iterator[Clue]:
    """By its name, by a file that goes with it, by its ending."""
    for kind in _READ:
        for mark in kind.marks:
            names = Path(mark).parts
            if path.parts[-len(names) :] == names:
                yield Clue(kind, path.parents[len(names) - 1], mark)
    ended = _by_ending(path.name)
    if ended is None:
        return
    if ended.is_common:
        yield from _marked(path.parent)
        for other in _READ:
            for ending in () if other.is_common else other.endings:
                if (beside := path.with_suffix(ending)).is_file():
                    yield Clue(other, beside, beside.name)
    yield Clue(ended, path, path.name)


def _in_folder(top: Path) -> Iterator[Clue]:
    """The nearest to the top first, and of those what is the least common."""
    level, left = [top], MOST_ENTRIES
    common: list[Clue] = []
    for _ in range(MOST_LEVELS):
        found: dict[str, Clue] = {}
        deeper: list[Path] = []
        for folder in level:
            for clue in _marked(folder):
                found.setdefault(clue.kind.name, Clue(clue.kind, top, clue.by))
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        break
                    if entry.is_dir():
                        deeper.append(Path(entry.path))
                    elif ended := _by_ending(entry.name):
                        found.setdefault(ended.name, Clue(ended, top, entry.name))
        clues = [found[kind.name] for kind in _READ if kind.name in found]
        yield from (clue for clue in clues if not clue.kind.is_common)
        common += [clue for clue in clues if clue.kind.is_common]
        if left < 0:
            break
        level = sorted(deeper)
    yield from common


def _marked(folder: Path) -> Iterator[Clue]:
    for kind in _READ:
        for mark in kind.marks:
            if (folder / mark).is_file():
                yield Clue(kind, folder, mark)


def _by_ending(name: str) -> Format | None:
    ending = Path(name).suffix.lower()
    return next((kind for kind in _READ if ending in kind.endings), None)
