"""The overlay's panel. It takes no focus, and never lies over what is recorded: there it would be in the picture."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from recorder.ui import glyphs
from recorder.ui.flow_layout import FlowLayout
from recorder.ui.overlay.caps import Caps
from recorder.ui.overlay.standing import Standing
from recorder.ui.pill import find_place
from recorder.ui.theme import Theme, dim, restyle

WIDTH_PX = 470
_FLAGS = (
    Qt.WindowType.Tool
    | Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.WindowDoesNotAcceptFocus
)
_WORD_PX = 200
"""A longer word of the vocabulary is cut, and whole in its tooltip."""
HINTS = "F11 gives back  ·  F12 ends  ·  Ctrl+Alt: Enter types"
WORD_HINTS = ", a digit says"


class Badge(QWidget):
    """Who is in control: a sign and a word on a strong ground."""

    def __init__(self) -> None:
        super().__init__()
        self._face = Standing().face
        font = self.font()
        font.setPixelSize(15)
        font.setBold(True)
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_standing(self, standing: Standing) -> None:
        if standing.face is self._face:
            return
        self._face = standing.face
        self.setToolTip(self._face.reason)
        self.setAccessibleName(f"{self._face.word}. {self._face.reason}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self._face.word) + 48, 30)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        tone = self._face.tone or Theme.of(self.palette()).calm
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tone.ground))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        glyphs.draw(painter, self._face.shape, QRectF(10, 7, 16, 16), tone.ink)
        painter.setPen(QColor(tone.ink))
        painter.drawText(self.rect().adjusted(34, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), self._face.word)


class Panel(QFrame):
    """`show_standing` fills it, `stand_by` places it."""

    asked_to_type = pyqtSignal()
    said = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__(None, _FLAGS)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowTitle("Playtape play")
        self.setFixedWidth(WIDTH_PX)
        self._words: tuple[tuple[str, str], ...] = ()
        self._stood: tuple[QRect, list[QRect], tuple[tuple[str, str], ...]] | None = None
        """What it was placed by."""
        self.badge, self.caps, self.pace = Badge(), Caps(), dim(wrap=False)
        self.instruction = QPushButton()
        self.instruction.setFlat(True)
        self.instruction.setToolTip("Type another instruction; the model waits meanwhile (Ctrl+Alt+Enter)")
        self.instruction.clicked.connect(self.asked_to_type)
        self.instruction.setStyleSheet("text-align: left; font-weight: 600;")
        self.instruction.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hints = dim(HINTS, wrap=False)
        self._row = QWidget()
        self._flow = FlowLayout()
        self._row.setLayout(self._flow)
        self._build()

    def show_standing(self, standing: Standing) -> None:
        """Ten times a second."""
        self.badge.show_standing(standing)
        self.pace.setText(standing.pace)
        restyle(self.pace, "bad", standing.is_slow or None)
        self.caps.show_held(standing.down, standing.motion)
        self._show_instruction(standing.instruction)
        if standing.words != self._words:
            self._words = standing.words
            self._show_words()
        for button in self._row.findChildren(QPushButton):
            restyle(button, "listening", button.property("text_said") == standing.instruction)

    def stand_by(self, target: QRect) -> None:
        """Shows it near `target` (pixels of the desktop), without its words, then without its hints, where there is little
        room beside the game; hides it where it would lie over the game all the same.
        """
        screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
        if (target, screens, self._words) == self._stood:
            return
        self._stood = (QRect(target), screens, self._words)
        for has_words, has_hints in ((True, True), (False, True), (False, False)):
            self._row.setVisible(has_words and bool(self._words))
            self.hints.setVisible(has_hints)
            self.adjustSize()
            if (place := find_place(self.size(), target, screens)) is not None:
                self.move(place)
                self.show()
                return
        self.hide()

    @property
    def typing_rect(self) -> QRect:
        """Where an instruction is typed, in pixels of the desktop: over the one in force and the keys, none of which is down."""
        top = self.instruction.mapToGlobal(self.instruction.rect().topLeft())
        bottom = self.caps.mapToGlobal(self.caps.rect().bottomRight())
        return QRect(top, bottom)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.badge)
        head.addStretch(1)
        head.addWidget(self.pace)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        for widget in (self.instruction, self.caps, self._row, self.hints):
            layout.addWidget(widget)
        self._row.hide()
        self.show_standing(Standing())

    def _show_instruction(self, text: str) -> None:
        metrics = QFontMetrics(self.instruction.font())
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, WIDTH_PX - 80)
        self.instruction.setText(f"“{shown}”" if text else "No instruction")
        self.instruction.setAccessibleName(f"Instruction: {text or 'none'}")

    def _show_words(self) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for key, text in self._words:
            button = QPushButton()
            metrics = QFontMetrics(button.font())
            button.setText(f"{key}  {metrics.elidedText(text, Qt.TextElideMode.ElideRight, _WORD_PX)}")
            button.setProperty("chip", True)
            button.setProperty("text_said", text)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip(f"Tell the model: {text} ({f'Ctrl+Alt+{key}' if key.isdigit() else key})")
            button.clicked.connect(lambda _, said=text: self.said.emit(said))
            self._flow.addWidget(button)
        self.hints.setText(HINTS + (WORD_HINTS if any(key.isdigit() for key, _ in self._words) else ""))
