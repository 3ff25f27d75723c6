"""Colours, sizes and the style of every window: one accent, a 4 px grid, dark and light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PyQt6.QtCore import QSettings, Qt, QTimer
from PyQt6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication, QWidget

from annotator.ui.text_size import keep_own_sizes, step_text_size, text_size, wear_text_size
from db.labelling.labels import Flag, Review

GRID_PX = 4
RADIUS_PX = 4


@dataclass(frozen=True)
class Theme:
    """Named colours (#rrggbb) of one scheme."""

    window: str
    """Behind everything."""
    panel: str
    """Lists, tables, text fields, the timeline's lanes."""
    raised: str
    """Buttons, chips, headers."""
    line: str
    """Borders and separators."""
    text: str
    dim: str
    """Secondary text; still at least 4.5:1 on the panel."""
    accent: str
    """Selection, instructions, the main button."""
    on_accent: str
    playhead: str
    key: str
    """Holds of keys."""
    button: str
    """Holds of mouse buttons, mouse motion."""
    good: str
    warn: str
    bad: str
    is_dark: bool

    @classmethod
    def of(cls, palette: QPalette) -> Theme:
        """The theme that a widget's palette belongs to."""
        return DARK if palette.color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT

    def flag(self, word: str) -> QColor:
        """A flag's colour: fixed for the known words, else by the word."""
        return QColor(_flag_name(word, self.panel, self.is_dark))

    def review(self, review: Review) -> QColor:
        return QColor(
            {
                Review.UNLABELLED: self.dim,
                Review.LABELLED: self.accent,
                Review.IN_REVIEW: "#b48cf2" if self.is_dark else "#7a45c9",
                Review.ACCEPTED: self.good,
                Review.REJECTED: self.bad,
                Review.FIXING: self.warn,
            }[review]
        )

    def grade(self, grade: str) -> QColor:
        return QColor({"good": self.good, "usable": self.warn}.get(grade, self.bad))


_FLAG_HUES = (215, 275, 185, 320, 28, 2, 345)

DARK = Theme(
    window="#16181d", panel="#1d2026", raised="#2a2e37", line="#343944", text="#e7eaf0", dim="#9aa3b2",
    accent="#7c93ff", on_accent="#0d1020", playhead="#ff6b57", key="#4fb6a4", button="#d9a94e",
    good="#57c98a", warn="#e2b04a", bad="#f0736a", is_dark=True,
)  # fmt: skip
LIGHT = Theme(
    window="#eff1f5", panel="#ffffff", raised="#e6e9ef", line="#cfd5df", text="#1b1f27", dim="#5b6473",
    accent="#3d57d8", on_accent="#ffffff", playhead="#d9361f", key="#1d8f7c", button="#b47a08",
    good="#1a7f47", warn="#946000", bad="#c0362c", is_dark=False,
)  # fmt: skip


@lru_cache(maxsize=1024)
def _flag_name(word: str, panel: str, is_dark: bool) -> str:
    """Of a flag's hue, the shade nearest to the usual one that stands out from the panel; asked for at every paint."""
    known = [flag.value for flag in Flag]
    hue = _FLAG_HUES[known.index(word)] if word in known else sum(map(ord, word)) * 37 % 360
    lightness, step = (150, 4) if is_dark else (125, -4)
    while contrast(colour := QColor.fromHsl(hue, 120, lightness), panel) < 3:  # yellow is lighter than blue
        lightness += step
    return colour.name()


def contrast(over: QColor | str, under: QColor | str) -> float:
    """How much two colours differ, in [1, 21]: (L1 + 0.05) / (L2 + 0.05) of their relative luminances (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(over), _luminance(under)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor | str) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def with_alpha(colour: QColor | str, alpha: float) -> QColor:
    """The colour at an opacity in [0, 1]."""
    faded = QColor(colour)
    faded.setAlphaF(alpha)
    return faded


def blend(over: QColor | str, under: QColor | str, share: float) -> QColor:
    """An opaque mix: `share` of `over`, the rest of `under`."""
    a, b = QColor(over), QColor(under)
    mixed = [round(x * share + y * (1 - share)) for x, y in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)]
    return QColor(*mixed)


def small(font: QFont, scale: float = 0.88) -> QFont:
    """A smaller cut of a font, never below 7.5 points."""
    shrunk = QFont(font)
    shrunk.setPointSizeF(max(font.pointSizeF() * scale, 7.5))
    return shrunk


def fixed(font: QFont) -> QFont:
    """Letters of one width at a font's size."""
    even = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    even.setPointSizeF(font.pointSizeF())
    return even


def dress(app: QApplication) -> None:
    """Gives the whole application its style, and follows the system from dark to light and back."""
    app.setStyle("Fusion")
    hints = QGuiApplication.styleHints()
    assert hints is not None
    hints.colorSchemeChanged.connect(lambda: wear(app, chosen_theme()))
    wear_text_size(app, text_size())
    wear(app, chosen_theme())


def choose_scheme(name: str) -> None:
    """`system`, `light` or `dark`, remembered for this person on this machine."""
    QSettings("Playtape", "Playtape").setValue("scheme", name)
    app = QApplication.instance()
    if isinstance(app, QApplication):
        wear(app, chosen_theme())


def chosen_theme() -> Theme:
    """What the person chose, by default the system's scheme; light where that is not known."""
    name = QSettings("Playtape", "Playtape").value("scheme", "system")
    if name in ("light", "dark"):
        return DARK if name == "dark" else LIGHT
    hints = QGuiApplication.styleHints()
    assert hints is not None
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def choose_text_size(step: int) -> None:
    """Text one size larger (1), smaller (-1) or as usual (0) in every window, remembered; controls grow with it."""
    app = QApplication.instance()
    size = step_text_size(step)
    if not isinstance(app, QApplication):
        return
    sheet = _sheet(chosen_theme()) if app.styleSheet() else ""
    is_waiting = bool(app.property(_WAITS))
    if sheet != app.styleSheet() and not is_waiting:
        app.setProperty(_WAITS, True)
        _hold_pictures(app, True)
        QTimer.singleShot(0, lambda: _wear_grown_controls(app))
    wear_text_size(app, size)


_WAITS = "controls_wait"


def _wear_grown_controls(app: QApplication) -> None:
    """What the new text size needs beside the fonts, in a turn of the event loop of its own; the pictures in the next: all
    of it at once would hold the windows up. However often the size was changed meanwhile, this is done once."""
    app.setProperty(_WAITS, False)
    app.setStyleSheet(_sheet(chosen_theme()))
    keep_own_sizes(app)
    QTimer.singleShot(0, lambda: _hold_pictures(app, bool(app.property(_WAITS))))


def _hold_pictures(app: QApplication, on: bool) -> None:
    """While it is on, windows keep showing what they showed."""
    for window in app.topLevelWidgets():
        if window.isVisible() or not on:
            window.setUpdatesEnabled(not on)


def tint(widget: QWidget, tone: str) -> None:
    """Gives a label or a button the theme's colour for "good", "warn" or "bad", whatever theme comes; "" the usual one."""
    if widget.property("tone") == tone:
        return
    widget.setProperty("tone", tone)
    style = widget.style()
    assert style is not None
    style.unpolish(widget)
    style.polish(widget)


def wear(app: QApplication, theme: Theme) -> None:
    """Puts one theme on every window."""
    app.setPalette(_palette(theme))
    app.setStyleSheet(_sheet(theme))
    keep_own_sizes(app)


def _palette(theme: Theme) -> QPalette:
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette()
    for name, colour in {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.panel, role.Text: theme.text,
        role.AlternateBase: blend(theme.raised, theme.panel, 0.4).name(), role.Button: theme.raised,
        role.ButtonText: theme.text, role.BrightText: theme.bad, role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent, role.ToolTipBase: theme.raised, role.ToolTipText: theme.text,
        role.PlaceholderText: theme.dim, role.Link: theme.accent, role.Mid: theme.line, role.Dark: theme.line,
        role.Midlight: theme.raised, role.Light: theme.raised, role.Shadow: theme.window, role.Accent: theme.accent,
    }.items():  # fmt: skip
        palette.setColor(name, QColor(colour))
    faded = blend(theme.dim, theme.window, 0.6)
    for name in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        palette.setColor(group.Disabled, name, faded)
    palette.setColor(group.Disabled, role.Highlight, QColor(theme.line))
    return palette


def _sheet(t: Theme) -> str:
    hover = blend(t.text, t.raised, 0.08).name()
    line_px = round(18 * max(text_size(), 1.0))  # what a line of text needs in a control
    return f"""
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
    QPushButton, QToolButton {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {RADIUS_PX}px;
        padding: 4px 12px; min-height: {line_px}px; }}
    QToolButton {{ padding: 4px 8px; }}
    QToolButton::menu-indicator {{ image: none; }}
    QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
    QPushButton:pressed, QToolButton:pressed {{ background: {t.line}; }}
    QPushButton:focus, QToolButton:focus {{ border-color: {t.accent}; }}
    QPushButton:disabled, QToolButton:disabled {{ background: {t.window}; color: {blend(t.dim, t.window, 0.6).name()}; }}
    QPushButton[primary="true"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
        font-weight: 600; }}
    QPushButton[primary="true"]:hover {{ background: {blend("#ffffff", t.accent, 0.15).name()}; }}
    QPushButton[primary="true"]:focus {{ border-color: {t.text}; }}
    QPushButton[primary="true"]:disabled {{ background: {t.raised}; color: {t.dim}; border-color: {t.line}; }}
    QLabel[tone="good"] {{ color: {t.good}; }}
    QLabel[tone="warn"] {{ color: {t.warn}; }}
    QLabel[tone="bad"] {{ color: {t.bad}; }}
    QPushButton[tone="bad"] {{ color: {t.bad}; border-color: {t.bad}; font-weight: 600; }}
    #phrases {{ background: {t.panel}; border: 1px solid {t.accent}; border-radius: {RADIUS_PX}px; }}
    #phrases QListWidget {{ border: 0; }}
    #phrases QListWidget::item {{ padding: 2px 6px; }}
    QFrame[card="true"] {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: {RADIUS_PX}px; }}
    QToolButton:checked {{ background: {blend(t.accent, t.panel, 0.28).name()}; border-color: {t.accent}; }}
    QLineEdit, QPlainTextEdit {{ background: {t.panel}; border: 1px solid {t.line};
        border-radius: {RADIUS_PX}px; padding: 4px 8px; min-height: {line_px}px; selection-background-color: {t.accent};
        selection-color: {t.on_accent}; }}
    QLineEdit:focus, QPlainTextEdit:focus {{ border-color: {t.accent}; }}
    QListView, QTableView, QTreeView {{ background: {t.panel}; border: 1px solid {t.line};
        border-radius: {RADIUS_PX}px; outline: 0; gridline-color: {t.line}; }}
    QHeaderView::section {{ background: {t.panel}; color: {t.dim}; border: 0; border-bottom: 1px solid {t.line};
        padding: 4px 8px; }}
    QMenuBar {{ background: {t.window}; }}
    QMenuBar::item:selected, QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QMenu {{ background: {t.panel}; border: 1px solid {t.line}; padding: 4px; }}
    QMenu::item {{ padding: 4px 24px; border-radius: {RADIUS_PX}px; }}
    QMenu::item:disabled {{ color: {t.dim}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
    QStatusBar {{ background: {t.window}; color: {t.dim}; border-top: 1px solid {t.line}; }}
    QStatusBar::item {{ border: 0; }}
    QSplitter::handle {{ background: {t.window}; }}
    QSplitter::handle:hover {{ background: {t.accent}; }}
    QCheckBox::indicator:unchecked, QRadioButton::indicator {{ width: 12px; height: 12px; border: 1px solid {t.dim};
        background: {t.panel}; border-radius: 2px; }}
    QCheckBox::indicator:unchecked:hover, QRadioButton::indicator:hover {{ border-color: {t.text}; }}
    QCheckBox::indicator:unchecked:disabled {{ border-color: {t.line}; background: {t.window}; }}
    QRadioButton::indicator {{ border-radius: 7px; }}
    QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 4px solid {t.accent}; }}
    QRadioButton::indicator:disabled {{ border-color: {t.line}; background: {t.window}; }}
    QProgressBar {{ background: {t.raised}; border: 0; border-radius: 3px; height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {blend(t.dim, t.panel, 0.45).name()}; border-radius: 3px; margin: 2px; }}
    QScrollBar::handle:vertical {{ min-height: 24px; }}
    QScrollBar::handle:horizontal {{ min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {t.dim}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """
