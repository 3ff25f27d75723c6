"""The bar under the picture: play and step buttons, where we are, jumping, how fast, and the overlay's switch."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PyQt6.QtGui import QAction, QColor, QIcon, QPainter, QPainterPath, QPixmap, QPolygonF, QResizeEvent
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from annotator.model.timeline.places import find_place
from annotator.model.video.shuttle import SPEEDS
from annotator.ui.annotate.editing import Editing
from annotator.ui.keys.controls import follow, tell_keys
from annotator.ui.theme import Theme, fixed
from annotator.ui.timeline.lane_painter import time_text
from annotator.ui.watch.place_field import PlaceField

BUTTONS = ("first", "second_back", "step_back", "toggle", "step_on", "second_on", "last", "loop")
SPARED = ("first", "last", "second_back", "second_on", "loop", "step_back", "step_on")
"""The buttons that make room for the number of the frame, in this order; their keys do the same."""
ICON_PX = 16
GAP_PX = 4
PATIENCE_MS = 250
"""What takes longer is said: a frame that is not there yet, a draft that stays."""


class Transport(QWidget):
    """Follows the player of an Editing."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing: Editing | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(GAP_PX)
        self._buttons = {name: _button(actions[name]) for name in BUTTONS}
        for button in self._buttons.values():
            layout.addWidget(button)
        self._buttons["loop"].setCheckable(True)
        self._buttons["loop"].clicked.connect(self._on_loop)
        self.where, self.note = _Line(), QLabel()  # the note is for the status bar, where there is room
        self.where.setFont(fixed(self.font()))
        self.where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note.setAccessibleName("Smooth seeking")
        self.note.setContentsMargins(0, 0, 12, 0)
        self.note.hide()
        self.place = PlaceField()
        self.place.refused.connect(self._on_refused)
        self.place.left.connect(lambda: self.where.show())
        layout.addSpacing(8)
        layout.addWidget(self.place, 1)
        layout.addWidget(self.where, 1)
        layout.addStretch()
        self.overlay = QToolButton()
        self.overlay.setText("Inputs")
        self.overlay.setCheckable(True)
        self.overlay.setChecked(actions["overlay"].isChecked())
        self.overlay.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        tell_keys(self.overlay, actions["overlay"].text(), actions["overlay"])
        self.overlay.toggled.connect(actions["overlay"].setChecked)
        actions["overlay"].toggled.connect(self.overlay.setChecked)
        self.pace = QComboBox()
        self.pace.setMinimumHeight(28)
        self.pace.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        tell_keys(self.pace, "Speed", actions["faster"], actions["slower"])
        self.pace.setAccessibleName("Speed")
        for speed in SPEEDS:
            self.pace.addItem(f"{speed:g}×", speed)
        self.pace.activated.connect(self._on_pace)
        layout.addWidget(self.overlay)
        layout.addWidget(self.pace)
        self._place_text = ("", "", "")
        self._waits = QTimer(self)
        self._waits.setSingleShot(True)
        self._waits.setInterval(PATIENCE_MS)
        self._waits.timeout.connect(self._on_waiting)
        self._draw_icons()

    def show_editing(self, editing: Editing | None) -> None:
        self.place.leave()
        self._editing = editing
        self._waits.stop()
        self.where.say("")
        self._say("")
        self.pace.setEnabled(editing is not None)
        if editing is not None:
            editing.player.displayed.connect(self._on_displayed)
            editing.player.asked.connect(lambda _: self._waits.start())
            editing.player.speed_changed.connect(self._on_speed)
            editing.player.loop_changed.connect(self._on_loop)
            editing.proxying.progressed.connect(self._on_progress)
            editing.proxying.ended.connect(self._on_proxy)
            self._on_speed(editing.player.speed)
        self._on_loop()
        self._make_room()

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        return QSize(self._needed_px("toggle"), least.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def ask_place(self) -> None:
        """Lets the person type where to jump to."""
        if self._editing is not None:
            self.where.hide()
            self.place.ask(self._jump)

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange and hasattr(self, "_buttons"):
            self._draw_icons()
        elif event.type() == event.Type.FontChange and hasattr(self, "_buttons"):
            self.where.setFont(fixed(self.font()))
            self._make_room()

    def _make_room(self) -> None:
        """Shows as many buttons as leave room for the place, in its shortest words."""
        shown = list(BUTTONS)
        for name in SPARED:
            if self._needed_px(*shown) <= self.width():
                break
            shown.remove(name)
        for name, button in self._buttons.items():
            button.setVisible(name in shown)

    def _needed_px(self, *names: str) -> int:
        longest = ""
        if self._editing is not None:
            clock = self._editing.document.clock
            all_ms = clock.duration_ns // 1_000_000
            longest = _place(len(clock), len(clock), all_ms, all_ms)[1]
        controls = [*(self._buttons[name] for name in names), self.overlay, self.pace]
        widths = (control.sizeHint().width() + GAP_PX for control in controls)
        return sum(widths) + self.where.fontMetrics().horizontalAdvance(longest) + 8 + 4 * GAP_PX

    def _jump(self, text: str) -> None:
        assert self._editing is not None
        player = self._editing.player
        frame = find_place(text, player.clock, max(player.index, 0))
        player.pause()
        player.seek(frame)

    def _on_displayed(self, index: int) -> None:
        assert self._editing is not None
        clock = self._editing.document.clock
        now_ms, all_ms = int(clock.t_ns[index] - clock.t_ns[0]) // 1_000_000, clock.duration_ns // 1_000_000
        self._place_text = _place(index, len(clock), now_ms, all_ms)
        self.where.say(*self._place_text)
        player = self._editing.player
        if player.is_settled and (player.is_true or player.is_playing):
            self._waits.stop()

    def _on_waiting(self) -> None:
        """The picture is still the one before, or a draft: whoever labels should know that another is on its way."""
        player = self._editing.player if self._editing else None
        if player is None or player.is_playing:
            return
        if not player.is_settled:
            self.where.say(f"{self._place_text[1]}   frame {player.target} is coming …", f"frame {player.target} …")
        elif not player.is_true:
            self.where.say(*(f"{text}   preview …" for text in self._place_text))

    def _on_speed(self, speed: float) -> None:
        assert self._editing is not None
        self.pace.setCurrentIndex(SPEEDS.index(abs(speed) or self._editing.player.pace))
        self._draw_icons()

    def _on_pace(self, row: int) -> None:
        if self._editing is not None:
            self._editing.player.set_pace(SPEEDS[row])

    def _on_loop(self) -> None:
        self._buttons["loop"].setChecked(self._editing is not None and self._editing.player.loop is not None)

    def _on_progress(self, share: float, left_s: float | None) -> None:
        if not self.place.isVisible():
            left = "" if left_s is None else f", {_left(left_s)} left"
            self._say(f"Preparing smooth seeking: {int(share * 100)} %{left}")

    def _on_proxy(self, reason: str) -> None:
        self._say(reason and f"No smooth seeking: {reason}")

    def _on_refused(self, reason: str) -> None:
        self._say(reason)

    def _say(self, text: str) -> None:
        self.note.setVisible(bool(text))
        self.note.setText(text)
        self.note.setToolTip(text)

    def _draw_icons(self) -> None:
        theme = Theme.of(self.palette())
        playing = self._editing is not None and self._editing.player.is_playing
        for name, button in self._buttons.items():
            button.setIcon(
                icon("pause" if name == "toggle" and playing else name, theme.text, self.devicePixelRatioF())
            )


def _place(index: int, count: int, now_ms: int, all_ms: int) -> tuple[str, str, str]:
    """Where one is, in full and in short; the frame's number alone where not even that fits."""
    time = f"{time_text(now_ms, 1)} / {time_text(all_ms)}"
    return f"{time}   frame {index} of {count}", f"{time}   {index}/{count}", f"{index}/{count}"


class _Line(QLabel):
    """One line that says less where there is less room; all of it is its tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: tuple[str, ...] = ("",)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def say(self, *texts: str) -> None:
        """texts: the same in fewer and fewer words."""
        self._texts = texts
        self.setToolTip(texts[0])
        self._fit()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics = self.fontMetrics()
        fitting = (text for text in self._texts if metrics.horizontalAdvance(text) <= self.width())
        shortest = metrics.elidedText(self._texts[-1], Qt.TextElideMode.ElideRight, self.width())
        self.setText(next(fitting, shortest))


def _left(seconds: float) -> str:
    return f"{max(round(seconds), 1)} s" if seconds < 55 else f"{max(round(seconds / 60), 1)} min"


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setIconSize(QSize(ICON_PX, ICON_PX))
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setAutoRepeat(action.autoRepeat())
    follow(button, action)
    return button


def icon(name: str, colour: str, ratio: float = 1.0) -> QIcon:
    """A transport symbol in one colour, drawn for the device's pixel ratio."""
    pixmap = QPixmap(round(ICON_PX * ratio), round(ICON_PX * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath()
    for shape in _SHAPES[name]:
        if len(shape) == 4:
            path.addRect(QRectF(*shape))
        else:
            path.addPolygon(QPolygonF([QPointF(*shape[i : i + 2]) for i in range(0, len(shape), 2)]))
            path.closeSubpath()
    painter.fillPath(path, QColor(colour))
    painter.end()
    return QIcon(pixmap)


_SHAPES: dict[str, tuple[tuple[float, ...], ...]] = {
    "toggle": ((4, 2, 14, 8, 4, 14),),
    "pause": ((3, 2, 4, 12), (9, 2, 4, 12)),
    "step_on": ((3, 3, 4, 10), (8, 3, 14, 8, 8, 13)),
    "step_back": ((9, 3, 4, 10), (8, 3, 2, 8, 8, 13)),
    "second_on": ((2, 3, 8, 8, 2, 13), (8, 3, 14, 8, 8, 13)),
    "second_back": ((8, 3, 2, 8, 8, 13), (14, 3, 8, 8, 14, 13)),
    "last": ((3, 3, 10, 8, 3, 13), (11, 3, 2.5, 10)),
    "loop": ((2, 4, 9, 2), (10, 1, 14, 5, 10, 9), (2, 4, 2, 5), (5, 11, 9, 2), (6, 8, 2, 12, 6, 16), (12, 8, 2, 5)),
    "first": ((13, 3, 6, 8, 13, 13), (2.5, 3, 2.5, 10)),
}
"""Rectangles (x, y, width, height) and polygons (x, y, ...) on a 16 px square."""
