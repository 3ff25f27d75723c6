"""What a person agrees to before the first recording: a calm page of the window, never a dialog."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from db.errors import PlaytapeError
from db.recording.consent import LICENCES, STATEMENT, WARNING, Consent, give_consent
from recorder.ui.live.faces import Shape
from recorder.ui.notices import Sign
from recorder.ui.scroll_column import ScrollColumn
from recorder.ui.theme import Theme, dim, heading, scaled

_WIDTH_PX = 720
_SIGNS = (Shape.DISC, Shape.CROSS, Shape.TICK)
"""What is kept, what never is, where it stays: one sign for each paragraph."""


class ConsentPage(ScrollColumn):
    """`agreed` gives the stored Consent."""

    agreed = pyqtSignal(object)
    left = pyqtSignal()
    """The person who had agreed before goes back."""

    def __init__(self, library: Path) -> None:
        super().__init__()
        self._library = library
        self.title = QLabel("Before the first recording")
        self.title.setFont(scaled(self.title.font(), 1.7, bold=True))
        self.player = QLineEdit()
        self.player.setMaximumWidth(280)
        self.player.setAccessibleName("Your name")
        self.player.textChanged.connect(lambda _: self._weigh())
        self._licences = QButtonGroup(self)
        self.agree = QPushButton("I &agree")
        self.agree.setProperty("main", "go")
        self.agree.clicked.connect(self._agree)
        self.back = QPushButton("Back")
        self.back.clicked.connect(self.left)
        self._problem = QLabel()
        self._problem.setProperty("bad", True)
        self._problem.setWordWrap(True)
        self._hint = dim("", wrap=False)
        self._build()
        self.ask("", None)

    def ask(self, player: str, given: Consent | None) -> None:
        """Begins anew for this person; `given`: what was agreed to before, which can be changed."""
        self.title.setText("What you agreed to" if given is not None else "Before the first recording")
        self.agree.setText("I &agree" if given is None else "&Keep this")
        self.back.setVisible(given is not None)
        self.player.setText(player)
        self._problem.hide()
        self._licences.setExclusive(False)
        for button in self._licences.buttons():
            button.setChecked(given is not None and button.property("licence") == given.licence)
        self._licences.setExclusive(True)
        self._weigh()

    @property
    def licence(self) -> str:
        """Empty while none is chosen."""
        button = self._licences.checkedButton()
        return "" if button is None else str(button.property("licence"))

    def _build(self) -> None:
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH_PX)
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(14)
        column.addWidget(self.title)
        column.addWidget(self._build_statement())
        column.addWidget(self._build_warning())
        column.addWidget(self._build_terms())
        column.addWidget(self._problem)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.agree)
        row.addWidget(self.back)
        row.addWidget(self._hint, 1)
        column.addLayout(row)
        column.addStretch(1)
        outer = QWidget()
        outer.setObjectName("scrolled")
        around = QHBoxLayout(outer)
        around.setContentsMargins(0, 0, 0, 0)
        around.addStretch(1)
        around.addWidget(inner, 100)
        around.addStretch(1)
        self.setWidget(outer)

    def _build_statement(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", True)
        grid = QGridLayout(card)
        grid.setContentsMargins(16, 14, 16, 14)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(1, 1)
        self._marks: list[tuple[Sign, Shape, str]] = []
        for row, paragraph in enumerate(STATEMENT.strip().split("\n\n")):
            self._add(grid, row, _SIGNS[min(row, 2)], ("bad", "dim", "good")[min(row, 2)], paragraph)
        grid.addWidget(dim(f"The library's folder: {self._library}"), grid.rowCount(), 1)
        return card

    def _build_warning(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", True)
        grid = QGridLayout(card)
        grid.setContentsMargins(16, 12, 16, 12)
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(1, 1)
        self._add(grid, 0, Shape.TRIANGLE, "warn", WARNING.strip())
        return card

    def _add(self, grid: QGridLayout, row: int, shape: Shape, colour: str, text: str) -> None:
        sign = Sign(shape)
        self._marks.append((sign, shape, colour))
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(sign, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label, row, 1)

    def _build_terms(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", True)
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 12, 16, 14)
        column.setSpacing(4)
        column.addWidget(heading("How may your recordings be used?"))
        for name, words in LICENCES.items():
            button = QRadioButton(words)
            button.setProperty("licence", name)
            button.toggled.connect(lambda _: self._weigh())
            self._licences.addButton(button)
            column.addWidget(button)
        column.addSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(12)
        label = QLabel("Your &name")
        label.setBuddy(self.player)
        row.addWidget(label)
        row.addWidget(self.player)
        row.addWidget(dim("Stored with each session. It need not be your real name."), 1)
        column.addLayout(row)
        return card

    def _weigh(self) -> None:
        ready = bool(self.licence and self.player.text().strip())
        self.agree.setEnabled(ready)
        missing = "Choose how your recordings may be used." if not self.licence else "Fill in a name."
        self._hint.setText("" if ready else missing)

    def _agree(self) -> None:
        try:
            given = give_consent(self._library, self.player.text().strip(), self.licence)
        except PlaytapeError as error:
            self._problem.setText(str(error))
            self._problem.show()
            return
        self.agreed.emit(given)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._colour()

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)
        if hasattr(self, "_marks"):
            self._colour()

    def _colour(self) -> None:
        theme = Theme.of(self.palette())
        for sign, shape, colour in self._marks:
            sign.show_sign(shape, getattr(theme, colour))
