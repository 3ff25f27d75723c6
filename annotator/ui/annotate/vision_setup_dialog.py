"""Sets up the vision model: where it is, how it is asked, and with which words. Off until somebody turns it on."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontDatabase
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from annotator.ui.annotate.vision_choice import forget_allowed
from annotator.ui.errand import Errand
from annotator.ui.theme import tint
from annotator.vision.prompt import PROMPT
from annotator.vision.setup import VisionSetup
from annotator.vision.trial import try_out
from db.errors import PlaytapeError

_KINDS = (
    ("off", "Off"),
    ("endpoint", "A server that speaks the OpenAI protocol"),
    ("command", "A program on this machine"),
)
_LEAD = (
    "A vision-language model can propose instructions: it is shown about one small picture a second and answers with "
    "sentences and times, which stay suggestions until you confirm them. Before any picture is shown you are asked."
)


class VisionSetupDialog(QDialog):
    """`setup()` is what the fields say. Accepted only when that can work."""

    def __init__(self, root: Path, setup: VisionSetup, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root = root
        self._errand: Errand | None = None
        self.setWindowTitle("Set up the vision model")
        self.resize(640, 720)
        self.kind = QComboBox()
        for kind, words in _KINDS:
            self.kind.addItem(words, kind)
        self.base_url, self.model = QLineEdit(setup.base_url), QLineEdit(setup.model)
        self.base_url.setPlaceholderText("https://example.org/v1 or http://localhost:11434/v1")
        self.model.setPlaceholderText("the model's name, as its provider calls it")
        self.key_variable, self.key_file = QLineEdit(setup.key_variable), QLineEdit(setup.key_file)
        self.key_variable.setPlaceholderText("such as OPENAI_API_KEY")
        self.key_file.setPlaceholderText("or a file that only you can read")
        self.allow_plain = QCheckBox("Allow http:// to another machine (not encrypted)")
        self.allow_plain.setChecked(setup.allow_plain)
        self.command = QLineEdit(setup.command)
        self.command.setPlaceholderText("reads a JSON request on stdin, writes JSON on stdout")
        self.rate = QDoubleSpinBox()
        self.rate.setRange(0.1, 4.0)
        self.rate.setSingleStep(0.1)
        self.rate.setSuffix(" pictures a second")
        self.window = _number(4, 120, " pictures a request")
        self.overlap = _number(0, 60, " of them shared with the next")
        self.picture = _number(96, 1024, " px at most")
        self.timeout = _number(1, 3600, " s for one answer")
        self.with_keys = QCheckBox("Tell which keys are held")
        self.with_keys.setChecked(setup.with_keys)
        self.prompt = QPlainTextEdit()
        self.prompt.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.prompt.setTabChangesFocus(True)
        self.answer = QLabel()
        self.answer.setTextFormat(Qt.TextFormat.PlainText)
        self.answer.setWordWrap(True)
        self.answer.setMinimumHeight(self.fontMetrics().height())
        self._arrange()
        self._fill(setup)
        self.kind.currentIndexChanged.connect(self._show_kind)
        self._show_kind()

    def setup(self) -> VisionSetup:
        """Raises BadArgument where the fields contradict one another."""
        chosen = VisionSetup(
            kind=self.kind.currentData(),
            base_url=self.base_url.text().strip(),
            model=self.model.text().strip(),
            key_variable=self.key_variable.text().strip(),
            key_file=self.key_file.text().strip(),
            allow_plain=self.allow_plain.isChecked(),
            command=self.command.text().strip(),
            rate_hz=round(self.rate.value(), 2),
            window=self.window.value(),
            overlap=self.overlap.value(),
            picture_px=self.picture.value(),
            with_keys=self.with_keys.isChecked(),
            timeout_s=float(self.timeout.value()),
            prompt=self.prompt.toPlainText().strip() or PROMPT,
        )
        if chosen.kind != "off":
            chosen.check()
        return chosen

    def try_out(self) -> None:
        """Asks the model about two drawn pictures; what came of it stands under the form."""
        self._end_errand()
        try:
            setup = self.setup()
            setup.check()
        except PlaytapeError as error:
            self._say(str(error), is_good=False)
            return
        errand = self._errand = Errand(self._root, lambda _, job: try_out(setup, job.is_cancelled), self)
        errand.ended.connect(lambda text: self._on_tried(errand, str(text), is_good=True))
        errand.failed.connect(lambda text: self._on_tried(errand, text, is_good=False))
        self.test.setEnabled(False)
        self._say("Asking …", is_good=True)
        errand.start()

    def accept(self) -> None:
        try:
            self.setup()
        except PlaytapeError as error:
            self._say(str(error), is_good=False)
            return
        super().accept()

    def done(self, result: int) -> None:
        self._end_errand()
        super().done(result)

    def _arrange(self) -> None:
        lead = QLabel(_LEAD)
        lead.setWordWrap(True)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form = form
        keys, shape, size = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row, fields in ((keys, (self.key_variable, self.key_file)), (shape, (self.rate, self.window)),
                            (size, (self.overlap, self.picture))):  # fmt: skip
            row.setSpacing(8)
            for widget in fields:
                row.addWidget(widget, 1)
        self._rows: dict[str, list[QWidget | QHBoxLayout]] = {"endpoint": [], "command": [], "any": []}
        for kind, words, widget, tip in (
            ("", "Model", self.kind, "Which kind of model is asked; off asks none"),
            ("endpoint", "Address", self.base_url, "The server's address; /chat/completions is added"),
            ("endpoint", "Name", self.model, "Which of the server's models is asked"),
            (
                "endpoint",
                "Key",
                keys,
                "Where the key is: an environment variable, or a file of mode 600. It is never stored",
            ),
            ("endpoint", "", self.allow_plain, "Only for a network that you trust"),
            ("command", "Command", self.command, "The program and its options; no shell runs it"),
            ("any", "Pictures", shape, "How many pictures a model is shown, and how many at once"),
            ("any", "", size, "How far requests overlap, and how large a picture is"),
            ("any", "Waiting", self.timeout, "After so long a request is given up and tried again"),
            ("any", "", self.with_keys, "The keys' names go with the pictures, as text"),
        ):
            form.addRow(words, widget)
            if kind:
                self._rows[kind].append(widget)
            for field in [widget] if isinstance(widget, QWidget) else [widget.itemAt(i).widget() for i in range(2)]:
                field.setToolTip(tip)
                field.setAccessibleName(words or tip)
                field.setMinimumHeight(28)
        for row, names in ((shape, ("Rate", "Pictures a request")), (size, ("Overlap", "Size of a picture"))):
            for i, name in enumerate(names):
                row.itemAt(i).widget().setAccessibleName(name)
                row.itemAt(i).widget().setMinimumHeight(28)
        self.key_variable.setAccessibleName("Environment variable of the key")
        self.key_file.setAccessibleName("File of the key")
        self.prompt.setAccessibleName("Prompt")
        self.prompt.setToolTip("What the model is told, word for word; it must ask for the JSON that Playtape reads")
        self.test, self.usual, again = QPushButton("&Test"), QPushButton("&Usual prompt"), QPushButton("Ask &again")
        for button, call, tip in (
            (self.test, self.try_out, "Asks the model about two drawn pictures (Alt+T)"),
            (self.usual, lambda: self.prompt.setPlainText(PROMPT), "Puts Playtape's own prompt back (Alt+U)"),
            (again, self._ask_again, "Forgets where pictures may go without asking (Alt+A)"),
        ):
            button.clicked.connect(call)
            button.setToolTip(tip)
            button.setAutoDefault(False)
        buttons = QDialogButtonBox()
        cancel = buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setToolTip("Close this and change nothing (Esc)")
        save = buttons.addButton("Save", QDialogButtonBox.ButtonRole.AcceptRole)
        save.setToolTip("Keep these settings (Enter)")
        save.setProperty("primary", True)
        save.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        for button in (self.test, self.usual, again):
            tools.addWidget(button)
        tools.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(12)
        outer.addWidget(lead)
        outer.addLayout(form)
        outer.addWidget(self.prompt, 1000)
        outer.addLayout(tools)
        outer.addWidget(self.answer)
        outer.addStretch(1)  # all the room there is, while the prompt is not shown
        outer.addWidget(buttons)

    def _fill(self, setup: VisionSetup) -> None:
        self.kind.setCurrentIndex(max(self.kind.findData(setup.kind), 0))
        self.rate.setValue(setup.rate_hz)
        for field, value in (
            (self.window, setup.window),
            (self.overlap, setup.overlap),
            (self.picture, setup.picture_px),
            (self.timeout, round(setup.timeout_s)),
        ):
            field.setValue(value)
        self.prompt.setPlainText(setup.prompt)

    def _show_kind(self) -> None:
        kind = self.kind.currentData()
        for of, rows in self._rows.items():
            for row in rows:
                self._form.setRowVisible(row, of == kind or (of == "any" and kind != "off"))
        for widget in (self.prompt, self.test, self.usual):
            widget.setVisible(kind != "off")
        self.test.setEnabled(kind != "off")
        self.answer.clear()

    def _ask_again(self) -> None:
        count = forget_allowed()
        self._say(f"{count} place{'s' * (count != 1)} forgotten; you will be asked again.", is_good=True)

    def _on_tried(self, errand: Errand, text: str, *, is_good: bool) -> None:
        if errand is self._errand:
            self._end_errand()
            self._say(text, is_good=is_good)

    def _end_errand(self) -> None:
        errand, self._errand = self._errand, None
        self.test.setEnabled(self.kind.currentData() != "off")
        if errand is not None:
            errand.close()
            errand.deleteLater()

    def _say(self, text: str, *, is_good: bool) -> None:
        tint(self.answer, "" if is_good else "bad")
        self.answer.setText(text)


def _number(least: int, most: int, unit: str) -> QSpinBox:
    field = QSpinBox()
    field.setRange(least, most)
    field.setSuffix(unit)
    return field
