"""The open library: an index over sessions, datasets, runs and models. The one door to all of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from db.errors import BadArgument, BadFile, NotFound, NothingRecorded, PlaytapeError, from_os_error
from db.files import sync_folder
from db.labelling import edits as edit_log
from db.labelling.drafts import forget_changes
from db.labelling.instructions import settle_told
from db.labelling.labels import Edit, LabelKind, Review, StepMark, check_transition, heads
from db.library import labelindex
from db.library.catalogue import SessionSummary, Wanted, all_lines, matching, summarise, to_summary
from db.library.index import scrub
from db.library.library_folder import LibraryFolder
from db.library.tables import EditRow, LabelRow, PersonRow, SessionRow, WithdrawalRow
from db.media.blackout import Tell, untold
from db.recording import recovery
from db.recording.cutting import cut_tail, mark_cut
from db.recording.reader import Recording
from db.recording.redaction import Stretch, mark_redaction, redact_marked
from db.recording.session import SessionMeta, SessionState, read_meta
from db.recording.verification import check, verify
from db.settings import read_settings
from db.upkeep.leftovers import clear_cached, clear_leftovers, clear_traces, doomed_folder, unfinished, until_entered
from db.upkeep.trash import put_mark, take_mark, trashed_at
from db.upkeep.withdrawal import Withdrawal, enter_mark, note_mark


class Store(LibraryFolder):
    """The library in one folder. Safe to open from several processes; a Store is for use by one thread at a time.

    Use as a context manager, or call `close`. Every method may raise StoreLocked, StoreReadOnly, DiskFull, or BadFile
    where the index is damaged.
    """

    # Sessions

    def create_session(self, meta: SessionMeta) -> Path:
        """The new folder to record this session into (see `db.recording.writer.SessionWriter.create`).

        Raises DiskFull, StoreReadOnly.
        """
        folder = self._path(meta.id)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise from_os_error(error, folder) from None
        return folder

    def enter(self, session_id: str, tell: Tell = untold) -> SessionSummary:
        """Checks and judges a finished session and puts it into the index, labels from its folder included.

        One that is there already is brought up to date. A discard that the session asks for is done first; where nothing
        is left of it, the session is deleted and NothingRecorded raised. Raises BadFile where packets, rows and clock
        disagree; the folder stays as it is.
        """
        folder = self.session_folder(session_id)
        meta = read_meta(folder)
        if meta.discard_from_ns is not None and not cut_tail(folder, meta.discard_from_ns):
            self.delete(session_id)
            raise NothingRecorded(f"All of session {session_id} was discarded.")
        if meta.redact_frames:
            self._forget_corrections(folder, meta.redact_frames)
            forget_changes(self.root, session_id)
            redact_marked(folder, tell)
            clear_cached(self.root, session_id)  # what somebody made of the old pictures meanwhile
        recording = Recording(folder)
        if problems := check(recording, decode=False):
            raise BadFile(problems[0])
        row = summarise(recording)
        settle_told(folder, session_id, recording.meta.player, recording.clock)
        mirrored, _ = edit_log.salvage_mirror(folder)
        with self.writing() as connection:
            if connection.execute(select(SessionRow.id).where(SessionRow.id == session_id)).first() is None:
                connection.execute(insert(SessionRow).values(review=Review.UNLABELLED.value, **row))
            else:
                connection.execute(update(SessionRow).where(SessionRow.id == session_id).values(**row))
            edit_log.merge(connection, [edit for edit in mirrored if edit.session_id == session_id])
            _add_person(connection, row["player"])
            enter_mark(connection, folder)
            trashed = update(SessionRow).where(SessionRow.id == session_id)
            connection.execute(trashed.values(trashed_at=trashed_at(folder)))
        return self.summary(session_id)

    def cut(self, session_id: str, from_ns: int) -> SessionSummary | None:
        """Discards everything of a finished session from `from_ns` on, for good; None where nothing is left of it.

        Raises NotFound, BadFile, DiskFull, StoreReadOnly.
        """
        with until_entered(self.root, self._still(session_id)) as folder:
            mark_cut(folder, from_ns)
            try:
                return self.enter(session_id)
            except NothingRecorded:
                return None

    def redact(self, session_id: str, stretches: Sequence[Stretch], tell: Tell = untold) -> SessionSummary:
        """Destroys stretches of frames [start, stop) for good: pictures, inputs, corrections, and every copy of them.

        The session gets a new revision; datasets that name the old one refuse. Raises NotFound, BadArgument for what is
        no stretch of it, BadFile, EncoderFailed, DiskFull and StoreReadOnly; what was begun is ended by `recover`.
        """
        with until_entered(self.root, self._still(session_id)) as folder:
            mark_redaction(folder, stretches)
            summary = self.enter(session_id, tell)
            self.scrub()
            return summary

    def search(self, wanted: Wanted | None = None, **more: Any) -> list[SessionSummary]:
        """The sessions that match everything that is wanted, newest first; `more` are fields of `Wanted`."""
        asked = replace(wanted or Wanted(), **more)
        with self.reading() as connection:
            return [to_summary(row._mapping) for row in connection.execute(matching(asked))]

    def summary(self, session_id: str) -> SessionSummary:
        """One session's line. Raises NotFound."""
        with self.reading() as connection:
            row = connection.execute(all_lines().where(SessionRow.id == session_id)).first()
        if row is None:
            raise NotFound(f"There is no session {session_id} in {self.root}.")
        return to_summary(row._mapping)

    def find(self, part: str) -> str:
        """The id of the one session that starts or ends with these characters. Raises NotFound or BadArgument."""
        with self.reading() as connection:
            ids = connection.execute(select(SessionRow.id)).scalars().all()
        matches = [known for known in ids if part and (known.startswith(part) or known.endswith(part))]
        if not matches:
            raise NotFound(f"There is no session {part} in {self.root}.")
        if len(matches) > 1:
            raise BadArgument(f"{part} fits {len(matches)} sessions; give more of its characters.")
        return matches[0]

    def session_folder(self, session_id: str) -> Path:
        """Where a session's files lie. Raises NotFound."""
        folder = self._path(session_id)
        if not folder.is_dir():
            raise NotFound(f"There is no session {session_id} in {self.root}.")
        return folder

    def recording(self, session_id: str) -> Recording:
        """The raw facts of a session. Raises NotFound, BadFile, TooNew."""
        return Recording(self.session_folder(session_id))

    def media(self, session_id: str, name: str) -> Path:
        """A file of a session by its plain name. Raises NotFound, and BadArgument for a name that leaves the folder."""
        if Path(name).name != name or name in ("", ".", ".."):
            raise BadArgument(f"{name!r} is not the name of a file of a session.")
        path = self.session_folder(session_id) / name
        if not path.is_file():
            raise NotFound(f"Session {session_id} has no file {name}.")
        return path

    def delete(self, session_id: str) -> None:
        """Removes a session, its labels and what caches keep of it for good.

        The folder loses its name first, so that one which is removed in part is never taken for a session. Raises NotFound,
        and BadArgument while it is being recorded.
        """
        folder = self._still(session_id)
        doomed = doomed_folder(folder)
        try:
            shutil.rmtree(doomed, ignore_errors=True)
            clear_traces(self.root, session_id)
            folder.rename(doomed)
            sync_folder(self.sessions_dir)
            self.forget(session_id)
            with suppress(FileNotFoundError):  # another program that was launched just now clears it too
                shutil.rmtree(doomed)
        except OSError as error:
            raise from_os_error(error, folder) from None

    def forget(self, session_id: str) -> bool:
        """Removes a session's line and labels from the index alone; gives whether there were any."""
        with self.writing() as connection:
            labelindex.forget_session(connection, session_id)
            for row in (EditRow, WithdrawalRow):
                connection.execute(delete(row).where(row.session_id == session_id))
            return connection.execute(delete(SessionRow).where(SessionRow.id == session_id)).rowcount > 0

    def scrub(self) -> None:
        """Lets go of copies of what was deleted from the index: its log's, and those made before a migration."""
        scrub(self._engine, self.root)

    def note_withdrawal(self, withdrawal: Withdrawal) -> None:
        """Leaves a session out of searches from now on; `db.upkeep.withdrawal.withdraw` is what takes one back."""
        with self.writing() as connection:
            note_mark(connection, withdrawal)

    def trash(self, session_id: str, why: str = "") -> None:
        """Puts a session into the trash, from where `restore` brings it back and `empty_trash` does not.

        Raises NotFound, BadArgument while it is being recorded.
        """
        put_mark(self._still(session_id), why)
        self._note_trashed(session_id, datetime.now(UTC))

    def restore(self, session_id: str, why: str = "") -> None:
        """Brings a session back from the trash. why: what it was part of, for who takes it back. Raises NotFound."""
        take_mark(self.session_folder(session_id), why)
        self._note_trashed(session_id, None)

    def empty_trash(self, before: datetime | None = None) -> int:
        """Deletes for good what was put into the trash (before this time); returns how many sessions."""
        lines = [line for line in self.search(trashed=True, withdrawn=True) if line.trashed_at is not None]
        doomed = [line.id for line in lines if before is None or (line.trashed_at and line.trashed_at < before)]
        for session_id in doomed:
            self.delete(session_id)
        return len(doomed)

    # Labels

    def edits(self, session_id: str) -> list[Edit]:
        """The whole log of a session, oldest first; `db.labelling.labels` reads the current spans and review state from it."""
        with self.reading() as connection:
            return edit_log.read_log(connection, session_id)

    def edits_after(self, session_id: str, place: int = 0) -> edit_log.Tail:
        """What came into a session's log after a place of it; cheap where that is little."""
        with self.reading() as connection:
            return edit_log.read_tail(connection, session_id, place)

    def commit(self, edits: Sequence[Edit]) -> None:
        """Adds edits in one transaction, then mirrors them into the folders.

        Raises Conflict where one supersedes an edit that somebody else has superseded, NotFound where a session is
        unknown; then nothing is added. A mirror that cannot be written now is repaired by `recover`.
        """
        with self.writing() as connection:
            edit_log.append(connection, edits)
        self._mirror(edits)

    def merge(self, session_id: str, edits: Sequence[Edit]) -> int:
        """Adds edits made elsewhere, by id, keeping competing versions side by side; returns how many were new.

        Raises NotFound where the index does not know the session, BadArgument for edits of another session.
        """
        if any(edit.session_id != session_id for edit in edits):
            raise BadArgument(f"These annotations are not all of session {session_id}.")
        with self.writing() as connection:
            added = edit_log.merge(connection, edits)
        edit_log.repair_mirror(self.session_folder(session_id), self.edits(session_id))
        return added

    def set_review(
        self, session_id: str, review: Review, author: str, source: str = "person", mark: StepMark | None = None
    ) -> Edit:
        """Moves a session to another review state. Raises BadArgument where that step does not exist, NotFound.

        Where two people reviewed the session on different machines, the newest word is the one that moves on.
        """
        with self.writing() as connection:
            states = [e for e in heads(edit_log.read_log(connection, session_id)) if e.kind is LabelKind.REVIEW]
            current = max((e for e in states if not (e.deleted or e.suggested)), key=lambda edit: edit.id, default=None)
            check_transition(Review(current.value) if current else Review.UNLABELLED, review)
            if review is Review.ACCEPTED and read_settings(self.root).no_self_accept:
                self._check_not_own(connection, session_id, author)
            said: dict[str, Any] = {"value": review.value, "source": source}
            fresh = Edit(session_id=session_id, kind=LabelKind.REVIEW, author=author, **said)
            edit = (fresh if current is None else current.revised(author, **said)).marked(mark)
            edit_log.append(connection, [edit])
        self._mirror([edit])
        return edit

    # People

    def people(self) -> dict[str, str]:
        """Every known person: id -> name."""
        with self.reading() as connection:
            rows = connection.execute(select(PersonRow.id, PersonRow.name).order_by(PersonRow.id))
            return {row.id: row.name for row in rows}

    def add_person(self, person_id: str, name: str = "") -> None:
        """Adds a person; one who is known already keeps the name given first."""
        with self.writing() as connection:
            _add_person(connection, person_id, name)

    # Care

    def orphans(self) -> list[Path]:
        """Folders of sessions that were cut off while recording, or finished but never entered, or cannot be read.

        Only folders that the index does not know are looked into, so this stays cheap in a large library.
        """
        with self.reading() as connection:
            known = set(connection.execute(select(SessionRow.id)).scalars())
        return [folder for folder in self._folders() if folder.name not in known and recovery.is_orphan(folder)]

    def recover(self, *, again: bool = False) -> list[recovery.RecoveryReport]:
        """Puts every orphan in order and enters it; repairs mirrors that lag. Damage in one stops none of the others.

        Leaves sessions alone that are being recorded, and clears what killed imports and deletions left. Cheap where
        there is nothing to do. again: also those that were found damaged before, which are otherwise only reported.
        """
        for session_id in clear_leftovers(self.sessions_dir):
            self.forget(session_id)
        for session_id in unfinished(self.root, self.sessions_dir):
            with suppress(PlaytapeError), until_entered(self.root, self._still(session_id)):
                self.enter(session_id)
        damaged = {folder: None if again else recovery.find_damage(folder) for folder in self.orphans()}
        reports = [known or self._recover(folder) for folder, known in damaged.items()]
        with self.reading() as connection:
            counts = edit_log.counts(connection)
        for session_id, count in counts.items():
            folder = self._path(session_id)
            if folder.is_dir() and edit_log.mirror_lags(folder, count):
                with suppress(PlaytapeError):  # the index has the edits; the next launch tries again
                    edit_log.repair_mirror(folder, self.edits(session_id))
        return reports

    def verify(self, session_id: str) -> list[str]:
        """Decodes every frame of a session; returns what is wrong, or notes in the index that it is whole."""
        try:
            problems = verify(self.session_folder(session_id))
        except NotFound:
            return [f"The folder of session {session_id} is missing from {self.sessions_dir}."]
        verified_at = datetime.now(UTC) if not problems else None
        with self.writing() as connection:
            row = update(SessionRow).where(SessionRow.id == session_id)
            connection.execute(row.values(verified_at=verified_at))
        return problems

    def rebuild(self) -> tuple[int, list[str]]:
        """Enters every finished session's folder again, labels from its mirror included.

        Returns how many were entered, and a sentence for everything that could not be, damaged labels included. Labels
        already in the index stay.
        """
        entered, problems = 0, []
        for folder in self._folders():
            try:
                if read_meta(folder).state is SessionState.RECORDING:
                    continue
                self.enter(folder.name)
                entered += 1
                problems += [text for text in edit_log.salvage_mirror(folder)[1:] if text]
            except PlaytapeError as error:
                problems.append(str(error))
        return entered, problems

    # Inside

    def _check_not_own(self, connection: Connection, session_id: str, author: str) -> None:
        own = select(LabelRow.id).join(EditRow, EditRow.entity_id == LabelRow.entity_id)  # any version makes it theirs
        own = own.where(LabelRow.session_id == session_id, LabelRow.suggested.is_(False))
        own = own.where(EditRow.author == author, EditRow.suggested.is_(False))
        spans = [kind.value for kind in LabelKind if kind.is_span and kind is not LabelKind.COMMENT]
        if connection.execute(own.where(LabelRow.kind.in_(spans))).first() is not None:
            raise BadArgument(
                "In this library nobody accepts what they labelled themselves; ask somebody else to review."
            )

    def _note_trashed(self, session_id: str, at: datetime | None) -> None:
        with self.writing() as connection:
            row = update(SessionRow).where(SessionRow.id == session_id).values(trashed_at=at)
            if connection.execute(row).rowcount == 0:
                raise NotFound(f"There is no session {session_id} in {self.root}.")

    def _still(self, session_id: str) -> Path:
        """The folder of a session that nobody records into now. Raises NotFound, BadArgument."""
        folder = self.session_folder(session_id)
        if recovery.is_recording(folder):
            raise BadArgument(f"Session {session_id} is being recorded; stop the recording first.")
        return folder

    def _forget_corrections(self, folder: Path, stretches: Sequence[Stretch]) -> None:
        """Removes every version of the corrections of actions that reach into what is destroyed: they name keys."""
        clear_cached(self.root, folder.name)
        with self.writing() as connection:
            edit_log.forget_actions(connection, folder.name, stretches)
        edit_log.forget_mirrored_actions(folder, stretches)

    def _recover(self, folder: Path) -> recovery.RecoveryReport:
        report = recovery.recover(folder)
        if report.error:
            return report
        recovery.forget_damage(folder)
        try:
            return replace(report, frames=self.enter(folder.name).frames)
        except NothingRecorded:
            return replace(report, frames=0)
        except PlaytapeError as error:
            return recovery.fail(report, error)

    def _mirror(self, edits: Sequence[Edit]) -> None:
        for session_id in {edit.session_id for edit in edits}:
            mine = [edit for edit in edits if edit.session_id == session_id]
            with suppress(PlaytapeError):  # they are committed: failing now would say the opposite
                edit_log.append_to_mirror(self.session_folder(session_id), mine)


def _add_person(connection: Connection, person_id: str, name: str = "") -> None:
    if connection.execute(select(PersonRow.id).where(PersonRow.id == person_id)).first() is None:
        connection.execute(insert(PersonRow).values(id=person_id, name=name))
