"""Sessions as one LeRobot dataset: files of each session first, then the tables of all. What is cut off goes on where it was."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from db.errors import BadArgument, DiskFull, PlaytapeError, StoreReadOnly, from_os_error
from db.files import replace_text
from db.formats.acting import tell_actors
from db.formats.format import Asked
from db.formats.lerobot.layout import DATA, INFO, OWN, VIDEO, place
from db.formats.lerobot.parts import Facts, note, write_part
from db.formats.lerobot.plan import Part, Plan, make_plan
from db.formats.lerobot.tables import write_tables
from db.formats.outgoing import Outgoing
from db.formats.report import Report
from db.formats.staging import refusal
from db.store import Store

_PARTS = "meta/parts"
"""What is known of the files of each session; it stays, so that a later export writes only what is new."""


def write_dataset(
    store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
) -> Iterator[Report]:
    """Makes `out` the dataset of exactly these sessions. A session whose files are there already is not encoded again.

    Raises BadArgument where `out` holds another's dataset, DiskFull and StoreReadOnly.
    """
    if (out / INFO).exists() and not (out / OWN).exists():
        raise BadArgument(f"{out} holds a dataset that Playtape did not write; choose another folder.")
    told: set[str] = set()
    wanted = list(dict.fromkeys(session_ids))
    while True:
        plan = make_plan(store, wanted, asked)
        dataset = _Dataset(store, out, plan, asked.dry_run, tell)
        for report in itertools.chain(plan.empty, dataset.write()):
            if report.name not in told:
                told.add(report.name)
                yield report
        if dataset.failed is None:
            return
        wanted.remove(dataset.failed)  # all that comes after it has other numbers now


class _Dataset:
    def __init__(self, store: Store, out: Path, plan: Plan, dry_run: bool, tell: Callable[[str, float], None]) -> None:
        self._store, self._out, self._plan, self._dry_run, self._tell = store, out, plan, dry_run, tell
        self.failed: str | None = None
        """The session that cannot be part of it; then the tables were not written."""

    def write(self) -> Iterator[Report]:
        episodes: list[Facts] = []
        about: list[dict[str, Any]] = []
        for part in self._plan.parts:
            try:
                outgoing = Outgoing.read(self._store, part.session_id)
                found, report = self._bring(part, outgoing)
            except (DiskFull, StoreReadOnly):
                raise
            except PlaytapeError as error:
                self.failed = part.session_id
                yield refusal(part.session_id, error, session_id=part.session_id)
                return
            episodes += found
            about += [_about(outgoing, part, number) for number in range(len(found))]
            self._tell(report.name, 1.0)
            yield report
        if self._dry_run or not self._plan.parts:
            return
        own = {"format": 1, "parts": [self._plan.key(part) for part in self._plan.parts], "episodes": about}
        if not self._is_whole(own):
            self._begin()
            self._clear_others()
            write_tables(self._out, self._plan, episodes, own)

    def _bring(self, part: Part, outgoing: Outgoing) -> tuple[list[Facts], Report]:
        """The episodes of a session, whose files are there then."""
        report = note(self._plan, part, outgoing)
        if self._dry_run:
            return [], report
        report.path = str(self._out / place(VIDEO, part.number))
        found = self._done(part)
        if found is not None:
            report.outcome = "known"
            return found, report
        self._begin()
        try:
            found = write_part(self._out, self._plan, part, outgoing, lambda share: self._tell(report.name, share))
        except BaseException:
            _remove_empty(self._out)
            raise
        self._note_done(part, found)
        return found, report

    def _is_whole(self, own: dict[str, Any]) -> bool:
        try:
            said = json.loads((self._out / OWN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(said == own) and (self._out / INFO).is_file()

    def _begin(self) -> None:
        """From here on the folder is no whole dataset."""
        try:
            (self._out / INFO).unlink(missing_ok=True)
            (self._out / _PARTS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, self._out) from None

    def _done(self, part: Part) -> list[Facts] | None:
        """The episodes of a session whose files are there and are what they should be now."""
        files = [self._out / place(pattern, part.number) for pattern in (DATA, VIDEO)]
        with suppress(OSError, ValueError, KeyError):
            said = json.loads(self._part_file(part.number).read_text(encoding="utf-8"))
            sizes = [path.stat().st_size for path in files]
            if said["key"] == self._plan.key(part) and said["sizes"] == sizes:
                return list(said["episodes"])
        return None

    def _note_done(self, part: Part, episodes: list[Facts]) -> None:
        sizes = [(self._out / place(pattern, part.number)).stat().st_size for pattern in (DATA, VIDEO)]
        said = {"key": self._plan.key(part), "sizes": sizes, "episodes": episodes}
        replace_text(self._part_file(part.number), json.dumps(said))

    def _part_file(self, number: int) -> Path:
        return self._out / _PARTS / f"{number:06d}.json"

    def _clear_others(self) -> None:
        """Removes the files of sessions that an earlier export had and this one has not."""
        try:
            for path in sorted((self._out / _PARTS).glob("*.json")):
                if path.stem.isdecimal() and int(path.stem) >= len(self._plan.parts):
                    for pattern in (DATA, VIDEO):
                        (self._out / place(pattern, int(path.stem))).unlink(missing_ok=True)
                    path.unlink()
        except OSError as error:
            raise from_os_error(error, self._out) from None


def _about(outgoing: Outgoing, part: Part, number: int) -> dict[str, Any]:
    meta, clock = outgoing.recording.meta, outgoing.recording.clock
    start, stop = part.stretches[number]
    return {
        "session": meta.id,
        "revision": meta.revision,
        "group": meta.group_id,
        "game": meta.game,
        "player": meta.player,
        "actors": tell_actors(meta.actors),
        "frames": [start, stop],
        "started_at": meta.anchor.wall_time(int(clock.t_ns[start])).isoformat(),
        "licence": meta.consent.licence if meta.consent else None,
    }


def _remove_empty(out: Path) -> None:
    """Folders in which there is nothing after all."""
    for folder in sorted(path for path in out.rglob("*") if path.is_dir())[::-1]:
        with suppress(OSError):
            folder.rmdir()
