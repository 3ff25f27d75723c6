"""Asks the chosen vision model about sessions: what would be sent is counted, a person is asked, then it is sent.

Everything slow happens in a thread with its own Store. Stopping never waits: a thread that still has to come home is kept
until it has, or until `close`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from annotator.model.document import Document
from annotator.model.edits.history import History
from annotator.model.edits.narratives import SuggestAll
from annotator.ui.annotate.vision_choice import allow, is_allowed
from annotator.ui.annotate.vision_consent import VisionConsent
from annotator.ui.errand import Errand
from annotator.vision.asking import Outcome, Outlook, ask_about, look_ahead
from annotator.vision.failures import Stopped, VisionFailed
from annotator.vision.model import chosen_model
from annotator.vision.setup import VisionSetup
from db.errors import PlaytapeError
from db.store import Store

_STEPS = 1000
"""What one session counts in the progress of several."""


@dataclass
class Told:
    """What was said about each session, and of the others why nothing was."""

    setup: VisionSetup
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    was_stopped: bool = False
    suggested: int = 0
    """Of them, those that were new and were entered already."""


class VisionAsker(QObject):
    """One job at a time. `parent` is the window that owns it and over which it asks."""

    began = pyqtSignal(str)
    progressed = pyqtSignal(object, object)
    ended = pyqtSignal(object)
    """A Told; or None where it was stopped."""
    declined = pyqtSignal()
    """A person did not want anything to be sent."""
    failed = pyqtSignal(str)

    def __init__(self, root: Path, author: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._root, self._author, self._window = root, author, parent
        self._errand: Errand | None = None
        self._leaving: set[Errand] = set()
        self._dialog: VisionConsent | None = None
        self._enters = False

    @property
    def is_busy(self) -> bool:
        return self._errand is not None or self._dialog is not None

    def ask(self, setup: VisionSetup, session_ids: Sequence[str], *, enters: bool) -> None:
        """Begins; does nothing while another job goes on. enters: commit what is said, session by session."""
        if self.is_busy or not session_ids:
            return
        try:
            chosen_model(setup)
        except PlaytapeError as error:
            self.failed.emit(str(error))
            return
        ids = list(session_ids)
        self._enters = enters
        self._begin(
            "Counting the pictures",
            lambda store, errand: _look_ahead(store, ids, setup, errand),
            lambda outlooks: self._on_counted(setup, outlooks),
        )

    def stop(self) -> None:
        """Ends what goes on, at once as far as anybody can see."""
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.reject()
            self.ended.emit(None)
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.cancel()
            self._leaving.add(errand)
            errand.finished.connect(lambda: self._gone(errand))
            if errand.isFinished():
                self._gone(errand)
            self.ended.emit(None)

    def close(self) -> None:
        """Ends it and joins its threads."""
        self.stop()
        for errand in list(self._leaving):
            errand.close()

    def _begin(self, what: str, work, then) -> None:
        errand = Errand(self._root, work, self)
        self._errand = errand
        errand.progressed.connect(
            lambda done, total: self.progressed.emit(done, total) if errand is self._errand else None
        )
        errand.ended.connect(lambda result: self._finish(errand) and then(result))
        errand.failed.connect(lambda text: self._finish(errand) and self.failed.emit(text))
        self.began.emit(what)
        errand.start()

    def _finish(self, errand: Errand) -> bool:
        """Whether it was still wanted."""
        if errand is not self._errand:
            return False
        self._errand = None
        errand.close()
        errand.deleteLater()
        return True

    def _gone(self, errand: Errand) -> None:
        if errand in self._leaving:
            self._leaving.discard(errand)
            errand.wait()
            errand.deleteLater()

    def _on_counted(self, setup: VisionSetup, outlooks: list[Outlook]) -> None:
        with_pictures = [outlook for outlook in outlooks if outlook.pictures]
        if not with_pictures:
            self.failed.emit("There is no picture that may be shown: all of it is private, redacted or left out.")
        elif is_allowed(setup, self._root):
            self._send(setup, with_pictures)
        else:
            dialog = self._dialog = VisionConsent(setup, with_pictures, self._window)
            dialog.finished.connect(lambda result: self._on_answered(dialog, setup, with_pictures, bool(result)))
            dialog.open()

    def _on_answered(self, dialog: VisionConsent, setup: VisionSetup, outlooks: list[Outlook], is_yes: bool) -> None:
        remembers = dialog.remember.isChecked()
        was_stopped, self._dialog = self._dialog is None, None
        dialog.deleteLater()
        if was_stopped:
            return  # which `stop` has told
        if not is_yes:
            self.declined.emit()
            return
        if remembers:
            allow(setup, self._root)
        self._send(setup, outlooks)

    def _send(self, setup: VisionSetup, outlooks: Sequence[Outlook]) -> None:
        ids, enters, author = [outlook.session_id for outlook in outlooks], self._enters, self._author
        self._begin(
            "Asking the model",
            lambda store, errand: _ask_all(store, ids, setup, errand, author if enters else ""),
            self.ended.emit,
        )


def _look_ahead(store: Store, ids: Sequence[str], setup: VisionSetup, errand: Errand) -> list[Outlook]:
    outlooks = []
    for number, session_id in enumerate(ids):
        if errand.is_cancelled():
            break
        outlooks.append(look_ahead(store, session_id, setup))
        errand.tell(number + 1, len(ids))
    return outlooks


def _ask_all(store: Store, ids: Sequence[str], setup: VisionSetup, errand: Errand, author: str) -> Told:
    """One session after the other. What concerns one session stops none of the others; the model's refusal stops all.

    author: whose suggestions are entered; "": nobody's.
    """
    model, told = chosen_model(setup), Told(setup)
    for number, session_id in enumerate(ids):
        scale = 1 if len(ids) == 1 else _STEPS

        def tell(done: int, total: int, number: int = number, scale: int = scale) -> None:
            share = done if scale == 1 else number * scale + done * scale // max(total, 1)
            errand.tell(share, total if scale == 1 else len(ids) * scale)

        try:
            outcome = ask_about(store, session_id, setup, model, tell, errand.is_cancelled)
            if author:
                told.suggested += enter(store, session_id, author, setup, outcome)
            told.outcomes[session_id] = outcome
        except Stopped:
            told.was_stopped = True
            break
        except VisionFailed as error:
            told.refused[session_id] = str(error)
            if not told.outcomes:
                raise
            break
        except PlaytapeError as error:
            told.refused[session_id] = str(error)
            if len(ids) == 1:
                raise
    return told


def enter(store: Store, session_id: str, author: str, setup: VisionSetup, outcome: Outcome) -> int:
    """Commits what was said as suggestions of one step; returns how many are new. Raises Conflict, DiskFull."""
    document = Document(store, session_id, author, store.recording(session_id).clock)
    return len(History(document).do(SuggestAll(outcome.proposals, outcome.narrative, setup.source)))
