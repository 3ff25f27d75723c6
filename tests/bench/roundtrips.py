"""What each two-way format keeps: sessions go out through it, come into a second library, and are compared with what they were.

    python -m bench roundtrips --library DIR

Without a library it makes a few sessions in which everything happens. The lines read: a share that is the same ("all" is every one),
a count, or the largest or median difference. Inputs are compared at the format's own rate, in frames that are known on both sides
and that nobody left out; "where down" counts only the keys and frames of which one side says that the key is down.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.likeness import Side, compare
from bench.tally import Tally, table
from bench.variedplay import record_varied
from db.errors import PlaytapeError
from db.formats.format import Asked
from db.formats.registry import FORMATS
from db.formats.sampling import MOST_HZ, rate_of
from db.formats.transfer import bring_in, write_out
from db.progressline import ProgressLine
from db.store import Store

_STEADY_HZ = {"open-p2p": 20, "vpt": 20}
"""Formats of one rate, whatever the recording's own is."""
_CUT = ("lerobot",)
"""Formats that leave out what cannot be learnt from and make several sessions of the rest."""


@dataclass(frozen=True)
class Trip:
    """One way out and in again: a format, and the rate that it is asked for where one can be."""

    kind: str
    rate: str = ""
    """Its option: a number, "own" for the recording's, or "" for what holds without it."""

    @property
    def name(self) -> str:
        return f"{self.kind} {self.rate}".strip() + (" Hz" if self.rate.isdecimal() else "")

    def options(self, own_hz: float) -> dict[str, str]:
        if not self.rate:
            return {}
        return {"rate": str(min(max(round(own_hz), 1), MOST_HZ)) if self.rate == "own" else self.rate}

    def rate_hz(self, own_hz: float) -> float | None:
        """Of what it writes; None where it keeps the recording's frames."""
        if "rate" in FORMATS[self.kind].options:
            return rate_of(self.options(own_hz), [own_hz])
        return _STEADY_HZ.get(self.kind)

    def suits(self, store: Store, session_id: str) -> bool:
        """Whether it is another one for this session than what holds without the option."""
        own_hz = store.recording(session_id).meta.capture.rate_hz
        return not self.rate or self.rate_hz(own_hz) != Trip(self.kind).rate_hz(own_hz)


BOTH_WAYS = tuple(name for name, kind in FORMATS.items() if kind.reads and kind.writes)


def trips(formats: Sequence[str]) -> list[Trip]:
    found: list[Trip] = []
    for name in formats:
        rates = ("", "own", "20") if "rate" in FORMATS[name].options else ("",)
        found += [Trip(name, rate) for rate in rates]
    return found


def measure(
    library: Path | None = None, formats: Sequence[str] = BOTH_WAYS, sessions: int = 0, pictures: int = 60
) -> dict[str, Any]:
    """library: whose sessions travel; None: some that are made. sessions: the newest so many; 0: all. pictures: that are looked at, of
    each session at most.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store.open(library or folder / "own", create=library is None) as store:
            ids = [line.id for line in store.search()][: sessions or None] if library else record_varied(store)
            work = [
                (trip, session_id) for trip in trips(formats) for session_id in ids if trip.suits(store, session_id)
            ]
            columns: dict[str, Tally] = {}
            with ProgressLine("round trips") as line:
                for number, (trip, session_id) in enumerate(work):
                    line.tell(number / len(work))
                    _travel(columns.setdefault(trip.name, Tally()), store, session_id, trip, folder, pictures)
        return {"sessions": len(ids)} | table(columns)


def _travel(tally: Tally, store: Store, session_id: str, trip: Trip, folder: Path, pictures: int) -> None:
    """One session, alone, so that whatever comes in is of it."""
    kind, was = FORMATS[trip.kind], Side.read(store, session_id)
    own_hz = was.recording.meta.capture.rate_hz
    asked = Asked(options=trip.options(own_hz))
    with tempfile.TemporaryDirectory(dir=folder) as name, Store.open(Path(name) / "other") as other:
        out = Path(name) / "out"
        reports = [*write_out(store, kind, [session_id], out, asked), *bring_in(other, kind, [out], Asked())]
        refused = [report.error for report in reports if report.error]
        tally.share("sessions that went out and came in", not refused, 1)
        if refused:
            print(f"{trip.name}: {refused[0]}", file=sys.stderr, flush=True)
            return
        back = [Side.read(other, report.session_id) for report in reports if report.outcome == "imported"]
        tally.count("sessions that they came in as", len(back))
        compare(tally, was, back, trip.rate_hz(own_hz), trip.kind in _CUT, pictures)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench roundtrips", description=__doc__)
    parser.add_argument(
        "--library", type=Path, metavar="DIR", help="whose sessions travel (default: some that are made)"
    )
    parser.add_argument(
        "--format", nargs="+", choices=BOTH_WAYS, default=BOTH_WAYS, metavar="NAME", help=f"of {', '.join(BOTH_WAYS)}"
    )
    parser.add_argument("--sessions", type=int, default=0, metavar="N", help="the newest so many (default: all)")
    parser.add_argument(
        "--pictures", type=int, default=60, metavar="N", help="of each session at most that are compared"
    )
    args = parser.parse_args(argv)
    try:
        rows = measure(args.library, args.format, args.sessions, args.pictures)
    except PlaytapeError as error:
        parser.error(str(error))
    for key, value in rows.items():
        print(f"   {key:<44} {value}", flush=True)
    return 0
