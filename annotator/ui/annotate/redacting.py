"""Destroys private stretches of the session that is shown, and notices where somebody else has done so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer

from annotator.model.edits.redaction import Stretch, choices, loss_of
from annotator.model.library.seat import LABELLING
from annotator.ui.annotate.redact_dialog import RedactDialog
from annotator.ui.errand import Errand
from db.errors import PlaytapeError
from db.recording.session import read_meta
from db.upkeep.leftovers import clear_cached

if TYPE_CHECKING:
    from annotator.model.opening import Opened
    from annotator.ui.annotate.annotate_window import AnnotateWindow

WATCH_MS = 1000
TITLE = "Destroying private stretches"
NOTHING = "Mark what is to be destroyed with I and O, or flag it private (7) first."


class Redacting(QObject):
    """Part of an AnnotateWindow, and the owner of its errand; `close` waits for that: what is begun is ended.

    While it goes on nobody looks at the session here, so that no picture is read from files that are being replaced.
    """

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window)
        self._window = window
        self._errand: Errand | None = None
        self._cleaning: Errand | None = None
        self._away = ""  # the session that is to be shown again, once it is done
        self._seat = LABELLING
        self._frame = self._revision = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(WATCH_MS)
        window.opener.opened.connect(self._on_opened)

    @property
    def is_busy(self) -> bool:
        """Whether stretches are being destroyed from here."""
        return self._errand is not None

    @property
    def is_waiting(self) -> bool:
        """Whether the session that was shown is to come back by itself."""
        return bool(self._away)

    def ask(self) -> None:
        """The dialog over what may be destroyed; says what is missing where there is nothing."""
        editing = self._window.editing
        if editing is None or self.is_busy:
            return
        offered = choices(editing.document, editing.marks.stretch, editing.selected_span)
        if not offered:
            self._window.info.tell(NOTHING)
            return
        editing.player.pause()
        events = editing.recording.events
        losses = {name: loss_of(editing.document, events, stretches) for name, stretches in offered.items()}
        dialog = RedactDialog(losses, self._window)
        session_id = editing.session_id
        dialog.accepted.connect(lambda: self._destroy(session_id, dialog.stretches))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def look(self) -> None:
        """Whether this session was, or is being, changed by somebody else; it is shown again as it is afterwards."""
        window, editing = self._window, self._window.editing
        if self.is_busy or (editing is None and not self._away):
            return
        session_id = editing.session_id if editing else self._away
        try:
            meta = read_meta(window.store.session_folder(session_id))
        except PlaytapeError:
            self._away = ""  # whoever opens it hears why
            return
        if editing is not None and meta.revision == editing.recording.meta.revision and not meta.redact_frames:
            return
        if editing is not None:
            self._step_back()
            self._forget_pictures()
        if meta.redact_frames:
            window.empty.say(TITLE, "Somebody is doing so; the session is shown again afterwards.")
        else:
            self._return()
            window.info.tell("Stretches of this session were destroyed by somebody else; it was opened anew.")

    def close(self) -> None:
        self._timer.stop()
        for errand in (self._errand, self._cleaning):
            if errand is not None:
                errand.close()
        self._errand = self._cleaning = None

    # Inside

    def _destroy(self, session_id: str, stretches: Sequence[Stretch]) -> None:
        window = self._window
        if window.editing is None or window.editing.session_id != session_id:
            return
        self._step_back()
        self._errand = Errand(
            window.store.root, lambda store, errand: store.redact(session_id, stretches, errand.tell), self
        )
        self._errand.progressed.connect(self._on_progress)
        self._errand.ended.connect(lambda _: self._on_ended("What was private is destroyed; its frames are black now."))
        self._errand.failed.connect(self._on_ended)
        self._on_progress(0, 1)
        self._errand.start()

    def _step_back(self) -> None:
        """Lets go of the session's files."""
        window = self._window
        assert window.editing is not None
        self._away, self._frame = window.editing.session_id, window.editing.frame
        self._seat, self._revision = window.editing.seat, window.editing.recording.meta.revision
        window.leave_session()

    def _forget_pictures(self) -> None:
        """Clears what this window has made of the pictures since somebody else cleared the cache."""
        name = f"{self._away}-{self._revision}"
        if self._cleaning is not None:
            self._cleaning.close()
        self._cleaning = Errand(self._window.store.root, lambda store, errand: clear_cached(store.root, name), self)
        self._cleaning.start()

    def _return(self) -> None:
        if self._away and self._window.editing is None:
            self._window.open_session(self._away, self._seat)
        else:
            self._away = ""

    def _on_opened(self, opened: Opened) -> None:
        away, self._away = self._away, ""
        editing = self._window.editing
        if editing is not None and away == opened.summary.id:
            editing.player.seek(self._frame)

    def _on_progress(self, done: int, total: int) -> None:
        share = done * 100 // max(total, 1)
        self._window.empty.say(TITLE, f"{share} %. Closing this window waits until it is done.")

    def _on_ended(self, text: str) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.close()
            errand.deleteLater()
            self._return()
            self._window.info.tell(text)
