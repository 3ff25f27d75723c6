"""Asks a trained IDM about the session shown, as a process of the trainer, and follows what that says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from annotator.jobs import Job, start_job
from annotator.model.library.trained import trained_models
from annotator.ui.annotate.suggesting import HOW
from annotator.ui.keys.bindings import with_keys
from db.errors import PlaytapeError

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow
    from annotator.ui.annotate.editing import Editing

POLL_MS = 200
_STOPPED = 130
_TAIL = 65536


class IdmPart(QObject):
    """Part of an AnnotateWindow. One job at a time; it goes on when the window closes, and its suggestions stay."""

    ended = pyqtSignal(str)

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window)
        self._window = window
        self._job: Job | None = None
        self._session_id = ""
        self._stopping = False
        self._bar = window.suggestion_bar.labelling
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    def ask(self) -> None:
        """Asks which IDM, then starts it on the session shown."""
        window = self._window
        if window.editing is None or self.is_busy:
            return
        models = [model.id for model in trained_models(window.store.models_dir, "idm")]
        if not models:
            window.info.tell("There is no IDM in this library yet; accept some sessions and train one (Train).")
            return
        dialog = IdmDialog(models, window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.start(dialog.model.currentText(), doubts=dialog.doubts.isChecked()))
        dialog.open()

    def start(self, model_id: str, *, doubts: bool = False) -> None:
        """doubts: also propose where it disagrees with what was recorded."""
        window = self._window
        if window.editing is None or self.is_busy:
            return
        self._session_id = window.editing.session_id
        options = ["label", "--library", str(window.store.root), "--json", "--model", model_id]
        options += ["--person", window.author, *(["--disagreements", "0.95"] if doubts else []), "--", self._session_id]
        try:
            self._job = start_job("labelling", "trainer", options, window.store.cache_dir / "logs")
        except PlaytapeError as error:
            window.info.tell(str(error))
            return
        self._stopping = False
        self._bar.begin("The IDM looks at the pictures")
        self._timer.start()

    def stop(self) -> None:
        """Asks it to end; what it has suggested by then stays."""
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

    def _look(self) -> None:
        job = self._job
        if job is None:
            return
        has_ended = job.has_ended  # before its last words are read
        rows = _rows(job)
        editing = self._window.editing
        is_shown = editing is not None and editing.session_id == self._session_id
        if rows and "step" in rows[-1] and is_shown and not self._stopping:
            self._bar.show_progress(int(rows[-1]["step"]), int(rows[-1]["steps"]))
        if not has_ended:
            return
        self._timer.stop()
        self._job = None
        self._bar.finish()
        if is_shown and editing is not None:
            try:
                editing.document.refresh()
            except PlaytapeError as error:
                self._window.info.tell(str(error))
        text = _outcome(job, rows)
        self._window.info.tell(text)
        self.ended.emit(text)


class IdmDialog(QDialog):
    """Which IDM, and whether it may doubt what was recorded."""

    def __init__(self, models: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Suggest inputs with an IDM")
        self.setMinimumWidth(440)
        lead = QLabel(
            "A model trained on your accepted sessions sees in the pictures which keys were pressed. It fills in where "
            "inputs were never recorded; what it says waits for you to confirm it. Everything stays on this machine."
        )
        lead.setWordWrap(True)
        self.model = QComboBox()
        self.model.setMinimumHeight(28)
        self.model.setAccessibleName("IDM")
        self.model.setToolTip("The newest one is first")
        self.model.addItems(models)
        self.doubts = QCheckBox("Also where it is sure that the recording is wrong")
        self.doubts.setToolTip("Proposes another press where the pictures and the recorded keys disagree for a while")
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("IDM", self.model)
        form.addRow("", self.doubts)
        buttons = QDialogButtonBox()
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        go = buttons.addButton("Suggest", QDialogButtonBox.ButtonRole.AcceptRole)
        go.setProperty("primary", True)
        go.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(16)
        outer.addWidget(lead)
        outer.addLayout(form)
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


def _outcome(job: Job, rows: list[dict[str, Any]]) -> str:
    last = rows[-1] if rows else {}
    status = job.process.returncode
    if "error" in last:
        return str(last["error"])
    if status == _STOPPED or (status or 0) < 0:
        return "Stopped. What was suggested by then stays; asking again goes on from there."
    if status:
        return job.error
    count = int(last.get("suggestions", 0))
    if not count:
        return "The IDM has nothing to add: inputs are known everywhere, or it has said it before."
    return f"{count} suggestion{'s' * (count != 1)} from the IDM: {with_keys(HOW)}"
