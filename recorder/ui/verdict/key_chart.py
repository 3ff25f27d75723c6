"""Which keys and buttons were used: a cap each, with how long it was down and how often it was pressed."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from db.recording import keys
from db.recording.figures import Figures, KeyUse
from recorder.ui.theme import Theme

MOST = 12
_ROW_PX, _CAP_PX, _GAP_PX = 26, 54, 18
_COLUMN_PX = 200


class KeyChart(QWidget):
    """As many columns as fit, most pressed first."""

    def __init__(self) -> None:
        super().__init__()
        self._uses: tuple[KeyUse, ...] = ()
        self._more = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Keys used")

    def show_figures(self, figures: Figures) -> None:
        self._uses, self._more = figures.keys[:MOST], max(len(figures.keys) - MOST, 0)
        lines = [
            f"{keys.label(use.code)} {use.presses} times, {use.share_pct:.0f} % of the frames" for use in self._uses
        ]
        self.setAccessibleDescription("; ".join(lines) or "none")
        self.setToolTip("How long each key was down (bar, share of the frames), and how often it was pressed.")
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = -(-max(len(self._uses), 1) // self._columns(width))
        return rows * _ROW_PX + (self._more > 0) * _ROW_PX

    def sizeHint(self) -> QSize:
        return QSize(2 * _COLUMN_PX + _GAP_PX, self.heightForWidth(2 * _COLUMN_PX + _GAP_PX))

    def minimumSizeHint(self) -> QSize:
        return QSize(_COLUMN_PX, self.heightForWidth(max(self.width(), _COLUMN_PX)))

    @staticmethod
    def _columns(width: int) -> int:
        return max(1, min((width + _GAP_PX) // (_COLUMN_PX + _GAP_PX), 3))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._uses:
            painter.setPen(QColor(theme.dim))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignTop), "No key and no button was pressed.")
            return
        columns = self._columns(self.width())
        rows = -(-len(self._uses) // columns)
        width = (self.width() - _GAP_PX * (columns - 1)) / columns
        widest = max(QFontMetricsF(self.font()).horizontalAdvance(_amount(use)) for use in self._uses)
        for number, use in enumerate(self._uses):
            column, row = divmod(number, rows)
            box = QRectF(column * (width + _GAP_PX), row * _ROW_PX, width, _ROW_PX)
            self._draw_use(painter, theme, use, box, widest)
        if self._more:
            painter.setPen(QColor(theme.dim))
            place = QRectF(0, rows * _ROW_PX, self.width(), _ROW_PX)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), f"and {self._more} more")

    def _draw_use(self, painter: QPainter, theme: Theme, use: KeyUse, box: QRectF, widest: float) -> None:
        cap = QRectF(box.left() + 0.5, box.top() + 2.5, _CAP_PX, _ROW_PX - 6)
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(cap, 4, 4)
        painter.setPen(QColor(theme.text))
        name = QFontMetricsF(self.font()).elidedText(keys.label(use.code), Qt.TextElideMode.ElideRight, cap.width() - 6)
        painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), name)
        amount = QRectF(box.right() - widest, box.top(), widest, _ROW_PX - 1)
        painter.drawText(amount, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), _amount(use))
        track = QRectF(cap.right() + 8, cap.center().y() - 3, amount.left() - cap.right() - 18, 6)
        if track.width() < 8:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(track, 3, 3)
        painter.setBrush(QColor(theme.accent))
        track.setWidth(max(track.width() * min(use.share_pct, 100) / 100, 3))
        painter.drawRoundedRect(track, 3, 3)


def _amount(use: KeyUse) -> str:
    share = f"{use.share_pct:.0f}" if use.share_pct >= 10 else f"{use.share_pct:.1f}"
    return f"{share} %  {use.presses:,}×"
