"""What a format is: how recordings of other tools come in, and how sessions go out to them.

How a format is added:

1. A module `db/formats/<name>.py` (a package where one file is too long) makes one `Format`, called FORMAT, with a `reads`,
   a `writes` or both. Its docstring states the format's facts and their source.
2. One line in `db/formats/registry.py`. The commands, their help, the windows and the tests over all formats follow from it.
3. A section in `docs/formats.md`: what is kept, what is changed, what is dropped.

What a reader does. `find` lists what a path holds, cheaply: a Source becomes one session. `bring` turns one into a session,
or says that it is known. Most sources are a video and facts about its frames: those readers make an `Account`
(`db.formats.account`) and hand it to `account.bring_account`, which does the dry run, the staging, the video, the counts of
what was kept, and the check whether the library has the source already. Reader's own work is to be suspicious: everything in
a file is a claim. A claim is checked before memory is taken for it, an error names the file and the place (BadFile), and
numbers are finite and in range before they become events.

What a writer does. `write` writes sessions to a folder and yields a Report for each, in order, as each is done. What it writes
appears whole or not at all: `db.formats.staging.staged` gives a hidden folder that gets its name at the end. Formats in which every
session stands alone use `db.formats.staging.one_by_one`. A session that is there already, unchanged, is not written again.

Both honour `Asked.dry_run`: the same Report, and nothing is written. Both call `tell` with the share done, at least every second or
so: what it raises ends the work, as a KeyboardInterrupt does anywhere, and then nothing half made is left. A PlaytapeError
concerns one source or session alone; DiskFull and StoreReadOnly end all.

Nothing is lost silently: what a format cannot say goes to `Report.dropped`, what it says differently to `Report.changed`, each with
a reason in words and a count.

Identity and resuming: the id of a session that came from elsewhere is made from its source (`db.formats.identity`), so that it needs
no record of its own: the library has the source when it has the session. Importing a folder again goes on where it was cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from db.formats.report import Report
from db.formats.report import Way as Way
from db.store import Store

Tell = Callable[[float], None]
"""Hears the share done of one source or session, in [0, 1]; what it raises ends the work."""


@dataclass(frozen=True)
class Source:
    """Something that becomes one session."""

    path: Path
    """The file or folder that a person would name."""
    part: str = ""
    """Which part of it, such as an episode's number, where it holds several."""
    size: int = 0
    """In bytes or any other measure of the work; only ratios count, for the finish time."""

    @property
    def name(self) -> str:
        """What errors, reports and progress call it."""
        return f"{self.path}#{self.part}" if self.part else str(self.path)


@dataclass(frozen=True)
class Asked:
    """What a person asked for beside the paths."""

    game: str = ""
    """Of what is brought in; empty: as the source says."""
    player: str = ""
    dry_run: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    """Of those that the format names in `Format.options`, for this way; `db.formats.registry.check_options` has looked at them."""


class Reader(Protocol):
    """Brings recordings in."""

    def find(self, path: Path) -> Iterator[Source]:
        """What the path holds, in a stable order, without reading all of it; nothing where it holds none of this format.

        Raises BadFile, and BadArgument where there is no such path.
        """

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        """Makes a session of a source, unless it is known. Raises PlaytapeErrors; nothing is left behind then."""


class Writer(Protocol):
    """Writes sessions out."""

    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        """Writes them into the folder `out`, which is there (but in a dry run), and yields a report for each.

        tell: hears the session's id and the share of it that is done. Raises PlaytapeErrors.
        """


@dataclass(frozen=True)
class Option:
    """A setting of a format: what `--option NAME=VALUE` takes, and a field in the library's window."""

    way: Way
    says: str
    """One line for people: what it is, and what holds without it."""
    choices: tuple[str, ...] = ()
    """All that it may be, first what holds without it; none: what `says` allows, which the reader or writer checks."""


@dataclass(frozen=True)
class Format:
    """One way to store recordings, under the name that `--format` takes."""

    name: str
    says: str
    """One line for people: what it is and whose."""
    reads: Reader | None = None
    writes: Writer | None = None
    endings: tuple[str, ...] = ()
    """Of the files that it reads, such as `.mcap`; none where it reads folders."""
    marks: tuple[str, ...] = ()
    """Files by which one of its folders is known, such as `meta/info.json`."""
    is_common: bool = False
    """Whether its files also lie in recordings of other formats: they tell of this one where nothing tells of another."""
    needs_game: bool = False
    """Whether its files never say which game they show."""
    is_one: bool = False
    """Whether a folder that is written becomes one thing of exactly the sessions that are named, and what else it was made of goes."""
    options: Mapping[str, Option] = field(default_factory=dict)

    def options_for(self, way: Way) -> dict[str, Option]:
        return {name: option for name, option in self.options.items() if option.way == way}
