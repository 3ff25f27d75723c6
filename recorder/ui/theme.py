"""Colours and style of the recorder's window, dark and light, on Qt's Fusion."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication, QLabel, QWidget

RECORD_RED = "#cf3f35"
"""The record button in both schemes: white on it reads at 4.9:1."""
RADIUS_PX = 8


@dataclass(frozen=True)
class Tone:
    """A strong ground and what is written on it; both schemes use the same, so that a state always looks the same.

    The grounds differ in lightness as well as in hue, and each state has its own word and shape.
    """

    ground: str
    ink: str


RED, AMBER, VIOLET, BLUE, GREEN = (
    Tone("#c4302b", "#ffffff"), Tone("#f2b632", "#211700"), Tone("#6b46c1", "#ffffff"), Tone("#2464cf", "#ffffff"),
    Tone("#1a7f47", "#ffffff"),
)  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """Named colours (#rrggbb) of one scheme."""

    window: str
    panel: str
    raised: str
    line: str
    text: str
    dim: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str

    @classmethod
    def of(cls, palette: QPalette) -> Theme:
        """The theme that a widget's palette belongs to."""
        return DARK if palette.color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT

    @property
    def calm(self) -> Tone:
        """For when nothing is going on."""
        return Tone(self.raised, self.text)

    def grade(self, grade: str) -> str:
        return {"good": self.good, "usable": self.warn}.get(grade, self.bad)


DARK = Theme(
    window="#16181d", panel="#1d2026", raised="#2a2e37", line="#383d49", text="#e7eaf0", dim="#9aa3b2",
    accent="#7c93ff", on_accent="#0d1020", good="#57c98a", warn="#e2b04a", bad="#f0736a",
)  # fmt: skip
LIGHT = Theme(
    window="#eff1f5", panel="#ffffff", raised="#e6e9ef", line="#cfd5df", text="#1b1f27", dim="#5b6473",
    accent="#3d57d8", on_accent="#ffffff", good="#1a7f47", warn="#946000", bad="#c0362c",
)  # fmt: skip


def dress(app: QApplication) -> None:
    """Gives the application its style, and follows the system from dark to light and back."""
    from recorder.ui.style import Style  # which draws with these themes

    app.setStyle(Style())
    hints = QGuiApplication.styleHints()
    assert hints is not None
    hints.colorSchemeChanged.connect(lambda: wear(app, chosen_theme()))
    wear(app, chosen_theme())


def chosen_theme() -> Theme:
    """What the person chose, by default the system's scheme; light where that is not known."""
    name = QSettings("Playtape", "Playtape").value("scheme", "system")
    if name in ("light", "dark"):
        return DARK if name == "dark" else LIGHT
    hints = QGuiApplication.styleHints()
    assert hints is not None
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def wear(app: QApplication, theme: Theme) -> None:
    """Puts one theme on every window."""
    role = QPalette.ColorRole
    palette = QPalette()
    for name, colour in {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.panel, role.Text: theme.text,
        role.Button: theme.raised, role.ButtonText: theme.text, role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent, role.ToolTipBase: theme.raised, role.ToolTipText: theme.text,
        role.PlaceholderText: theme.dim, role.Mid: theme.line, role.Dark: theme.line, role.Light: theme.raised,
        role.Midlight: theme.raised, role.Shadow: theme.window, role.AlternateBase: theme.raised,
        role.Accent: theme.accent, role.Link: theme.accent,
    }.items():  # fmt: skip
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.dim))
    app.setPalette(palette)
    app.setStyleSheet(_sheet(theme))


def heading(text: str) -> QLabel:
    """A small title over a group."""
    label = QLabel(text)
    label.setProperty("heading", True)
    return label


def dim(text: str = "", *, wrap: bool = True) -> QLabel:
    """A line of secondary text."""
    label = QLabel(text)
    label.setProperty("dim", True)
    label.setWordWrap(wrap)
    return label


def scaled(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """The font at another size."""
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * factor)
    if bold:
        made.setWeight(QFont.Weight.DemiBold)
    return made


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Sets a property that the style sheet asks for, and lets it ask again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    style = widget.style()
    if style is not None:
        style.unpolish(widget)
        style.polish(widget)


def _sheet(t: Theme) -> str:
    return f"""
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
    QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox {{ background: {t.panel}; border: 1px solid {t.line};
        border-radius: 4px; padding: 5px 8px; selection-background-color: {t.accent};
        selection-color: {t.on_accent}; }}
    QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border-color: {t.accent}; }}
    QSpinBox, QDoubleSpinBox {{ padding-right: 2px; }}
    QComboBox::drop-down {{ border: 0; width: 20px; }}
    QComboBox QAbstractItemView {{ background: {t.panel}; border: 1px solid {t.line};
        selection-background-color: {t.raised}; selection-color: {t.text}; outline: 0; }}
    QListWidget {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: 6px; outline: 0; padding: 4px; }}
    QListWidget::item {{ border-radius: 4px; padding: 4px; color: {t.text}; }}
    QListWidget::item:selected {{ background: {t.raised}; border: 1px solid {t.accent}; color: {t.text}; }}
    QListView#gallery {{ background: transparent; border: 0; padding: 0; outline: 0; }}
    QPushButton, QToolButton {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: 4px;
        padding: 6px 14px; color: {t.text}; }}
    QPushButton:hover, QToolButton:hover {{ border-color: {t.dim}; }}
    QPushButton:focus, QToolButton:focus {{ border-color: {t.accent}; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {t.dim}; background: {t.panel}; }}
    QToolButton::menu-button {{ border: 0; border-left: 1px solid {t.line}; width: 20px; }}
    QToolButton[popupMode="1"] {{ padding-right: 30px; }}
    QPushButton[main="record"] {{ background: {RECORD_RED}; border-color: {RECORD_RED}; color: #ffffff; font-weight: 700;
        padding: 11px 28px; border-radius: 6px; }}
    QPushButton[main="record"]:hover, QPushButton[main="record"]:focus {{ border: 2px solid {t.text}; padding: 10px 27px; }}
    QPushButton[main="record"]:disabled {{ background: {t.raised}; border-color: {t.line}; color: {t.dim}; }}
    QPushButton[main="go"] {{ background: {t.accent}; border-color: {t.accent}; color: {t.on_accent}; font-weight: 700;
        padding: 9px 24px; border-radius: 6px; }}
    QPushButton[main="go"]:focus {{ border: 2px solid {t.text}; padding: 8px 23px; }}
    QPushButton[main="go"]:disabled {{ background: {t.raised}; border-color: {t.line}; color: {t.dim}; }}
    QPushButton[big="true"], QToolButton[big="true"] {{ padding-top: 9px; padding-bottom: 9px; font-weight: 600; }}
    QPushButton[big="true"]:checked {{ border-color: {t.accent}; }}
    QPushButton[big="true"]:!checked {{ color: {t.text}; }}
    QPushButton[big="true"]:disabled {{ color: {t.dim}; }}
    QPushButton[mute="true"]:checked {{ background: {VIOLET.ground}; border-color: {VIOLET.ground}; color: {VIOLET.ink}; }}
    QPushButton[flat="true"] {{ background: transparent; border-color: transparent; padding: 4px 8px; color: {t.accent}; }}
    QPushButton[flat="true"]:hover, QPushButton[flat="true"]:focus {{ border-color: {t.accent}; }}
    QPushButton[segment="true"] {{ background: transparent; border: 1px solid transparent; padding: 6px 16px;
        color: {t.dim}; font-weight: 600; }}
    QPushButton[segment="true"]:hover {{ color: {t.text}; }}
    QPushButton[segment="true"]:checked {{ background: {t.raised}; border-color: {t.line}; color: {t.text}; }}
    QPushButton[segment="true"]:focus {{ border-color: {t.accent}; }}
    QPushButton[chip="true"] {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: 4px; padding: 3px 8px; }}
    QPushButton[listening="true"] {{ border: 1px solid {t.accent}; color: {t.accent}; background: {t.panel}; }}
    QFrame#segments {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: 6px; }}
    QFrame#sheet {{ background: {t.panel}; border: 0; border-left: 1px solid {t.line}; }}
    QFrame[card="true"] {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: 8px; }}
    QFrame[rule="true"] {{ background: {t.line}; border: 0; max-height: 1px; min-height: 1px; }}
    QLabel[dim="true"] {{ color: {t.dim}; }}
    QLabel[bad="true"] {{ color: {t.bad}; }}
    QLabel[heading="true"] {{ color: {t.dim}; font-weight: 600; }}
    QRadioButton, QCheckBox {{ spacing: 8px; padding: 3px; border: 1px solid transparent; border-radius: 4px; }}
    QRadioButton:focus, QCheckBox:focus {{ border-color: {t.accent}; }}
    QMenu {{ background: {t.panel}; border: 1px solid {t.line}; padding: 4px; }}
    QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.raised}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.dim}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
    QScrollArea {{ background: transparent; border: 0; }}
    QScrollArea > QWidget > QWidget#scrolled {{ background: transparent; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: {t.line}; border-radius: 3px; margin: 2px; min-height: 24px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    """
