"""WebDataset shards (https://github.com/webdataset/webdataset): TAR files that a training job reads one after the other, out only.

<out>/shard-000000.tar ...    samples in the order of the sessions and of time; `db.formats.webdataset.shards` says what one is
<out>/index.json              the shards, how many samples each has, and what they were made of

Which sample lies in which shard follows from the sessions and the options alone. So what was cut off goes on with the first shard that is
missing, and a session that is added at the end rewrites the last shard at most.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from db.errors import BadArgument, DiskFull, PlaytapeError, StoreReadOnly, from_os_error
from db.files import read_object, replace_text
from db.formats.format import Asked, Format
from db.formats.report import Report
from db.formats.staging import refusal
from db.formats.webdataset.plan import LAYOUT, OPTIONS, Plan, make_plan
from db.formats.webdataset.shards import write_shard
from db.store import Store

INDEX = "index.json"
_NAME = "playtape-webdataset"
_INDEX_MAX = 256 << 20
_SHARD = re.compile(r"shard-\d{6}\.tar")


class _Writer:
    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        """Makes `out` the shards of exactly these sessions; those that are there already stay.

        Raises BadArgument where `out` holds shards of another tool, DiskFull and StoreReadOnly.
        """
        if not _is_ours(out):
            raise BadArgument(f"{out} holds shards or an {INDEX} that Playtape did not write; choose another folder.")
        told: set[str] = set()
        wanted = list(dict.fromkeys(session_ids))
        while True:
            work = _Shards(store, out, make_plan(store, wanted, asked), asked.dry_run, tell)
            for report in itertools.chain(work.plan.empty, work.write()):
                if report.name not in told:
                    told.add(report.name)
                    yield report
            if work.failed is None:
                return
            wanted.remove(work.failed)  # all that comes after it lies elsewhere now


class _Shards:
    def __init__(self, store: Store, out: Path, plan: Plan, dry_run: bool, tell: Callable[[str, float], None]) -> None:
        self.plan = plan
        self.failed: str | None = None
        """The session that cannot be read; then what comes after it was not written."""
        self._store, self._out, self._dry_run, self._tell = store, out, dry_run, tell
        self._latest = ""
        """The session that is being read."""

    def write(self) -> Iterator[Report]:
        if self._dry_run or not self.plan.samples:
            yield from self.plan.reports.values()
            return
        before = self._read_index()
        shards: list[dict[str, Any]] = []
        wrote: set[str] = set()
        ends = {one.session_id: number for number, shard in enumerate(self.plan.shards) for one in shard}
        for number, shard in enumerate(self.plan.shards):
            name, key = f"shard-{number:06d}.tar", self.plan.key(shard)
            row = before.get(name, {})
            if row.get("key") != key or not self._is_there(row):
                try:
                    size = write_shard(self._out / name, self._store, self.plan, shard, self._note)
                except (DiskFull, StoreReadOnly):
                    raise
                except PlaytapeError as error:
                    self.failed = self._latest
                    yield refusal(self.failed, error, session_id=self.failed)
                    return
                row = {"name": name, "key": key, "samples": len(shard), "bytes": size}
                wrote |= {one.session_id for one in shard}
                before[name] = row
                self._write_index(before)
            shards.append(row)
            for session_id in dict.fromkeys(one.session_id for one in shard):
                if ends[session_id] == number:
                    yield self._report(session_id, session_id in wrote)
        names = {row["name"] for row in shards}
        try:
            for name in before.keys() - names:
                (self._out / name).unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, self._out) from None
        if before.keys() != names or wrote:
            self._write_index({row["name"]: row for row in shards})

    def _report(self, session_id: str, is_new: bool) -> Report:
        report = self.plan.reports[session_id]
        report.path, report.outcome = str(self._out), "written" if is_new else "known"
        self._tell(session_id, 1.0)
        return report

    def _note(self, session_id: str, share: float) -> None:
        self._latest = session_id
        self._tell(session_id, share)

    def _is_there(self, row: dict[str, Any]) -> bool:
        with suppress(OSError, KeyError):
            return bool((self._out / str(row["name"])).stat().st_size == row["bytes"])
        return False

    def _read_index(self) -> dict[str, dict[str, Any]]:
        """The shards that an earlier export wrote, whole or not; those of another layout are as good as none."""
        with suppress(KeyError, TypeError):
            rows = _read_index(self._out)["shards"]
            return {row["name"]: row for row in rows if _SHARD.fullmatch(row["name"])}
        return {}

    def _write_index(self, rows: dict[str, dict[str, Any]]) -> None:
        plan = self.plan
        said = {
            "format": _NAME,
            "layout": LAYOUT,
            "sample": plan.layout.kind,
            "rate_hz": plan.rate_hz,
            "size_px": list(plan.size_px),
            "samples": sum(row["samples"] for row in rows.values()),
            "sessions": list(plan.reports),
            "licences": dict(plan.licences),
            "shards": [rows[name] for name in sorted(rows)],
        }
        replace_text(self._out / INDEX, json.dumps(said, indent=1) + "\n")


def _is_ours(out: Path) -> bool:
    """Whether nothing in a folder is another tool's that would be written over."""
    if (out / INDEX).exists():
        return _read_index(out).get("format") == _NAME
    return not any(out.glob("shard-*.tar"))


def _read_index(out: Path) -> dict[str, Any]:
    """Empty where it is none."""
    try:
        return read_object(out / INDEX, _INDEX_MAX)
    except PlaytapeError:
        return {}


FORMAT = Format(
    "webdataset",
    "WebDataset shards of clips or frames with their actions, for large training jobs",
    writes=_Writer(),
    is_one=True,
    options=OPTIONS,
)
