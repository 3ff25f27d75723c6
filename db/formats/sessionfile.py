"""`.playtape` files as a format among the others: whole sessions, annotations included (`db.formats.interchange`)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from db.formats.archive import SUFFIX
from db.formats.format import Asked, Format, Source, Tell
from db.formats.interchange import export_session, import_session, is_exported, peek_session
from db.formats.report import Report
from db.formats.staging import one_by_one
from db.store import Store
from db.upkeep.withdrawal import SUFFIX as NOTICE_SUFFIX
from db.upkeep.withdrawal import apply_notice, read_notice, refuse_withdrawn


class _Reader:
    """Archives, and notices that a session was withdrawn; of a folder all that are in it, notices first: what was taken
    back and lies there still is not brought in then.
    """

    def find(self, path: Path) -> Iterator[Source]:
        endings = (NOTICE_SUFFIX, SUFFIX)
        files = [file for ending in endings for file in sorted(path.rglob(f"*{ending}"))] if path.is_dir() else [path]
        for file in files:
            yield Source(file, size=file.stat().st_size if file.is_file() else 0)

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        if source.path.suffix == NOTICE_SUFFIX:
            return self._apply(store, source, asked)
        if asked.dry_run:
            return self._foresee(store, source, asked)
        done = import_session(store, source.path, progress=tell)
        report = self._report(store, source, done.session_id)
        report.outcome = "imported" if done.created else "merged"
        self._note(report, asked)
        report.keep("annotations", done.edits_added)
        report.facts = {"created": done.created, "edits_added": done.edits_added, "conflicts": done.conflicts}
        clash = f", {done.conflicts} labels in conflict" if done.conflicts else ""
        report.says = ("imported" if done.created else f"known; {done.edits_added} new edits merged") + clash
        return report

    def _note(self, report: Report, asked: Asked) -> None:
        if asked.game or asked.player:
            report.drop("the game or player that was named: a session keeps its own")

    def _foresee(self, store: Store, source: Source, asked: Asked) -> Report:
        session_id, sizes = peek_session(source.path)
        refuse_withdrawn(store, session_id)
        if (store.sessions_dir / session_id).is_dir():
            report = self._report(store, source, session_id)
            report.outcome = "merged"
        else:
            report = Report(source.name, "imported", session_id, str(source.path))
        report.dry_run = True
        self._note(report, asked)
        report.keep("files", len(sizes))
        report.keep("bytes", sum(sizes.values()))
        return report

    def _apply(self, store: Store, source: Source, asked: Asked) -> Report:
        """Removes the session that its player took back."""
        if asked.dry_run:
            withdrawn = read_notice(source.path)
            is_here = (store.sessions_dir / withdrawn.session_id).is_dir()
            did = "it would be removed for good" if is_here else "it is not here, and would not be imported any more"
        else:
            removal = apply_notice(store, source.path)
            withdrawn = removal.withdrawal
            did = "it was removed for good" if removal.removed else "it was not here; it will not be imported"
        report = Report(source.name, "withdrawn", withdrawn.session_id, str(source.path), dry_run=asked.dry_run)
        report.says = f"{withdrawn.sentence()}; {did}."
        report.facts = {"withdrawn_at": withdrawn.at}
        if not asked.dry_run:
            report.facts["removed"] = removal.removed
        return report

    def _report(self, store: Store, source: Source, session_id: str) -> Report:
        summary = store.summary(session_id)
        return Report(source.name, "imported", session_id, str(source.path), summary.frames, summary.duration_s)


class _Writer:
    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        def one(session_id: str, tell_one: Tell) -> Report:
            summary = store.summary(session_id)
            path = out / f"{session_id}{SUFFIX}"
            refuse_withdrawn(store, session_id)
            report = Report(session_id, "written", session_id, str(path), summary.frames, summary.duration_s)
            report.dry_run = asked.dry_run
            if is_exported(store, session_id, path):
                report.outcome = "known"
            elif not asked.dry_run:
                export_session(store, session_id, out, progress=tell_one)
            report.keep("frames", summary.frames)
            report.keep("annotations", len(store.edits(session_id)))
            return report

        return one_by_one(session_ids, one, tell)


FORMAT = Format(
    "playtape",
    "whole sessions, annotations included, a .playtape file each",
    reads=_Reader(),
    writes=_Writer(),
    endings=(SUFFIX, NOTICE_SUFFIX),
)
