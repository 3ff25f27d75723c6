"""A process of the trainer that works on the session shown, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from annotator.jobs import Job, start_job
from annotator.model.library.trained import trained_models
from annotator.ui.annotate.asking_bar import AskingBar
from db.errors import PlaytapeError

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow
    from annotator.ui.annotate.editing import Editing

POLL_MS = 200
_STOPPED = 130
_TAIL = 65536


class TrainerPart(QObject):
    """Part of an AnnotateWindow. One job at a time; it goes on when the window closes, and what it did stays."""

    ended = pyqtSignal(str)

    def __init__(self, window: AnnotateWindow, bar: AskingBar) -> None:
        super().__init__(window)
        self._window, self._bar = window, bar
        self._job: Job | None = None
        self._session_id = self._phase = ""
        self._stopping = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    def models(self) -> list[str]:
        """The library's IDMs, the newest first; where there is none, says so."""
        found = [model.id for model in trained_models(self._window.store.models_dir, "idm")]
        if not found:
            self._window.info.tell("There is no IDM in this library yet; accept some sessions and train one (Train).")
        return found

    def stop(self) -> None:
        """Asks it to end; what it has done by then stays."""
        if self._job is not None and not self._stopping:
            self._stopping = True
            self._job.process.terminate()
            self._bar.words.setText("Stopping …")

    def show_editing(self, editing: Editing | None) -> None:
        """The job goes on, but its progress belongs to its own session."""
        is_own = editing is not None and editing.session_id == self._session_id
        self._bar.setVisible(self.is_busy and is_own)

    def close(self) -> None:
        self._timer.stop()
        self._job = None

    # For those who make something of it

    def words(self, phase: str) -> str:
        """What it is doing, for the bar."""
        raise NotImplementedError

    def outcome(self, last: dict[str, Any]) -> str:
        """The sentence that says what came of it: of the last row of a job that ended well."""
        raise NotImplementedError

    stopped_words = ""
    """The sentence after it was stopped."""

    def take_in(self, editing: Editing) -> None:
        """The job has ended, and its session is shown. Raises PlaytapeError."""

    def _start(self, name: str, command: str, options: Sequence[str]) -> None:
        """Runs a command of the trainer on the session shown; options: but for the library and the session."""
        window = self._window
        if window.editing is None or self.is_busy:
            return
        self._session_id, self._phase = window.editing.session_id, ""
        whole = [command, "--library", str(window.store.root), "--json", *options, "--", self._session_id]
        try:
            self._job = start_job(name, "trainer", whole, window.store.cache_dir / "logs")
        except PlaytapeError as error:
            window.info.tell(str(error))
            return
        self._stopping = False
        self._bar.begin(self.words(""))
        self._timer.start()

    # Inside

    def _look(self) -> None:
        job = self._job
        if job is None:
            return
        has_ended = job.has_ended  # before its last words are read
        rows = _rows(job)
        editing = self._window.editing
        is_shown = editing is not None and editing.session_id == self._session_id
        if rows and "step" in rows[-1] and is_shown and not self._stopping:
            self._show_progress(rows[-1])
        if not has_ended:
            return
        self._timer.stop()
        self._job = None
        self._bar.finish()
        if is_shown and editing is not None:
            try:
                self.take_in(editing)
            except PlaytapeError as error:
                self._window.info.tell(str(error))
        text = self._outcome(job, rows)
        self._window.info.tell(text)
        self.ended.emit(text)

    def _show_progress(self, row: dict[str, Any]) -> None:
        if row.get("phase") != self._phase:  # another kind of work takes another time
            self._phase = str(row.get("phase"))
            self._bar.begin(self.words(self._phase))
        self._bar.show_progress(int(row["step"]), int(row["steps"]))

    def _outcome(self, job: Job, rows: list[dict[str, Any]]) -> str:
        last = rows[-1] if rows else {}
        status = job.process.returncode
        if "error" in last:
            return str(last["error"])
        if status == _STOPPED or (status or 0) < 0:
            return self.stopped_words
        return job.error if status else self.outcome(last)


class ModelDialog(QDialog):
    """Which IDM."""

    def __init__(self, models: list[str], title: str, lead: str, go: str, parent: QWidget | None = None) -> None:
        """lead: what will happen, in a sentence or two. go: the word on the button that starts it."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(440)
        words = QLabel(lead)
        words.setWordWrap(True)
        self.model = QComboBox()
        self.model.setMinimumHeight(28)
        self.model.setAccessibleName("IDM")
        self.model.setToolTip("The newest one is first")
        self.model.addItems(models)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(8)
        self.form.addRow("IDM", self.model)
        buttons = QDialogButtonBox()
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        start = buttons.addButton(go, QDialogButtonBox.ButtonRole.AcceptRole)
        assert start is not None
        start.setProperty("primary", True)
        start.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(16)
        outer.addWidget(words)
        outer.addLayout(self.form)
        outer.addWidget(buttons)


def _rows(job: Job) -> list[dict[str, Any]]:
    """What the process has said last, a row a line; lines that are none, or not whole yet, are left out."""
    try:
        with job.log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - _TAIL, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows
