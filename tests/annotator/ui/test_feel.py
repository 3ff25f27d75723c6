"""What every window owes a person: names, tooltips, the keyboard, text that is only text, contrast, sizes, a memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSplitter,
    QTextEdit,
    QWidget,
)

from annotator.ui.annotate.actions import TABLE
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.cheat_sheet import CheatSheet
from annotator.ui.keys.bindings import Bindings
from annotator.ui.keys.key_editor import KeyEditor
from annotator.ui.keys.key_field import KeyField
from annotator.ui.keys.palette import Palette
from annotator.ui.library.dialogs import CorrectDialog, LabelDialog, PlayDialog
from annotator.ui.library.library_actions import LIBRARY_TABLE
from annotator.ui.library.library_window import PAGES, LibraryWindow
from annotator.ui.text_size import SIZES, text_size, wear_text_size
from annotator.ui.theme import DARK, LIGHT, Theme, blend, choose_text_size, contrast, wear
from db.labelling.labels import Flag, Review

Key = Qt.Key
CONTROLS = (QAbstractButton, QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QAbstractSpinBox, QAbstractItemView)


@pytest.fixture
def annotate(store, make_session, qtbot) -> AnnotateWindow:
    labels = [("instruction", 20, 50, "walk on")]
    session_id = make_session(store, count=60, labels=labels)
    make_session(store, count=30, game="Arena")
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_id)
    qtbot.waitUntil(lambda: opened.editing is not None and opened.picture.index == 0)
    return opened


@pytest.fixture
def library(store, make_session, qtbot) -> LibraryWindow:
    make_session(store, count=60)
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    qtbot.waitUntil(lambda: opened.sessions.model.rowCount() == 1)
    return opened


@pytest.fixture
def dressed(qtbot) -> Iterator[QApplication]:
    """The application in its style, as it is at every start; plain again afterwards."""
    app = QApplication.instance()
    yield app
    wear_text_size(app, 1.0)
    app.setStyleSheet("")


def controls(window: QWidget) -> list[QWidget]:
    """Everything that a person clicks or types in, but for the parts that Qt makes its own controls of."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if isinstance(widget, CONTROLS)
        and not isinstance(widget, QHeaderView)
        and not widget.objectName().startswith("qt_")
        and not isinstance(widget.parent(), QComboBox | QAbstractSpinBox | QHeaderView | QLineEdit | QAbstractItemView)
        and not isinstance(widget.parentWidget().parent(), QComboBox)
        and not (isinstance(widget, QAbstractItemView) and widget.isWindow())
    ]


def described(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton | QLineEdit) else ""
    return f"{type(widget).__name__} {widget.objectName()} {text!r} in {type(widget.parent()).__name__}"


def unnamed(window: QWidget) -> list[str]:
    found = []
    for widget in controls(window):
        words = widget.text() if isinstance(widget, QAbstractButton) else ""
        if not (widget.accessibleName() or re.search(r"\w", words)):
            found.append(f"no name: {described(widget)}")
        if not widget.toolTip():
            found.append(f"no tooltip: {described(widget)}")
    return found


def test_every_control_of_the_annotate_window_has_a_name_and_a_tooltip(annotate) -> None:
    assert not unnamed(annotate), "\n".join(unnamed(annotate))


@pytest.mark.parametrize("page", PAGES)
def test_every_control_of_the_library_has_a_name_and_a_tooltip(library, page, qtbot) -> None:
    library.go(page)
    qtbot.waitUntil(lambda: library.page == page)
    assert not unnamed(library), "\n".join(unnamed(library))


@pytest.mark.parametrize("name", ["sheet", "editor", "palette", "play", "label", "correct"])
def test_every_control_of_a_dialog_has_a_name_and_a_tooltip(name, annotate, store) -> None:
    dialog: QDialog = {
        "sheet": lambda: CheatSheet(annotate),
        "editor": lambda: KeyEditor("annotate", annotate),
        "palette": lambda: Palette(TABLE, annotate.actions_by_name, annotate),
        "play": lambda: PlayDialog([], annotate),
        "label": lambda: LabelDialog([], ["one"], [], annotate),
        "correct": lambda: CorrectDialog([], annotate),
    }[name]()
    assert not unnamed(dialog), "\n".join(unnamed(dialog))
    dialog.close()


@pytest.mark.parametrize("which", ["annotate", "library"])
def test_every_action_is_in_a_menu_and_its_button_tells_its_key(which, request) -> None:
    window = request.getfixturevalue(which)
    in_menus = {action for menu in window.menuBar().findChildren(QMenu) for action in menu.actions()}
    assert set(window.actions_by_name.values()) <= in_menus
    table = TABLE if which == "annotate" else LIBRARY_TABLE
    Bindings.of_person().give(table.scope, "close", ("Ctrl+F8",))
    for action in window.actions_by_name.values():
        keys = action.shortcuts()
        for button in window.findChildren(QAbstractButton):
            if keys and button.toolTip().startswith(f"{action.toolTip()} ("):
                assert keys[0].toString().replace("Return", "Enter") in button.toolTip().replace("Return", "Enter")


@pytest.mark.parametrize("which", ["annotate", "library"])
def test_tab_goes_through_every_control_and_comes_back(which, request, qtbot) -> None:
    """In the library by Tab; in the annotate window Tab is for spans, and F6 goes from pane to pane."""
    window = request.getfixturevalue(which)
    seen: list[QWidget] = []
    qtbot.waitUntil(window.isActiveWindow)
    window.sessions.view.setFocus()
    for _ in range(80):
        focused = QApplication.focusWidget()
        if focused in seen:
            break
        seen.append(focused)
        QTest.keyClick(focused, Key.Key_Tab if which == "library" else Key.Key_F6)
    assert QApplication.focusWidget() is seen[0]
    wanted = {
        c for c in controls(window) if c.isVisible() and c.isEnabled() and c.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    if which == "library":
        assert not wanted - set(seen), [described(widget) for widget in wanted - set(seen)]
        tops = [widget.mapTo(window, widget.rect().topLeft()).y() for widget in seen]
        assert sum(below < above - 60 for above, below in pairwise(tops)) <= 2  # down, and once up again
    else:
        assert {window.sessions.view, window.timeline, window.panel.table, window.panel.note} <= set(seen)


def typed_into(window: QWidget, qtbot) -> list[str]:
    """Types every letter and digit into every text field that can be typed into; the names of the actions that ran."""
    ran: list[str] = []

    def watch(action: QAction) -> None:
        name = action.objectName() or action.text()
        action.triggered.connect(lambda *_: ran.append(name))

    for action in window.actions():
        watch(action)
    fields = [
        field
        for field in window.findChildren(QWidget)
        if isinstance(field, QLineEdit | QPlainTextEdit)
        and not isinstance(field, KeyField)
        and not field.isReadOnly()
        and field.isEnabled()
        and field.isVisible()
        and not isinstance(field.parent(), QAbstractSpinBox)
    ]
    for field in fields:
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
        for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,?+-=[]":
            QTest.keyClick(field, letter)
            assert field.hasFocus(), (described(field), letter)
        text = field.toPlainText() if isinstance(field, QPlainTextEdit) else field.text()
        assert "abcdefgh" in text, described(field)
        field.clear()
    return ran


def test_typing_in_the_annotate_window_is_only_typing(annotate, qtbot) -> None:
    assert annotate.panel.note.isVisible()
    assert typed_into(annotate, qtbot) == []


@pytest.mark.parametrize("page", PAGES)
def test_typing_in_the_library_is_only_typing(library, page, qtbot) -> None:
    library.go(page)
    qtbot.waitUntil(lambda: library.page == page)
    assert typed_into(library, qtbot) == []


# Colours


def test_the_contrast_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_text_and_marks_stand_out_from_their_ground(theme: Theme) -> None:
    grounds = {"window": theme.window, "panel": theme.panel, "raised": theme.raised}
    alternate = blend(theme.raised, theme.panel, 0.4)
    text = {f"{n} on {g}": contrast(getattr(theme, n), grounds[g]) for n in ("text", "dim") for g in grounds}
    text |= {f"{n} on rows": contrast(getattr(theme, n), alternate) for n in ("text", "dim")}
    text |= {"on accent": contrast(theme.on_accent, theme.accent)}
    text |= {f"accent on {g}": contrast(theme.accent, grounds[g]) for g in ("window", "panel")}
    text |= {"chosen row": contrast(theme.text, blend(theme.accent, theme.panel, 0.28))}
    text |= {"notice": contrast(theme.text, blend(theme.warn, theme.panel, 0.22))}
    for review in Review:
        colour = theme.review(review)
        text |= {f"chip {review.value}": contrast(blend(colour, theme.text, 0.55), blend(colour, theme.panel, 0.2))}
    assert not {name: round(ratio, 2) for name, ratio in text.items() if ratio < 4.5}
    marks = {n: contrast(getattr(theme, n), theme.panel) for n in ("playhead", "key", "button", "good", "warn", "bad")}
    marks |= {f"review {review.value}": contrast(theme.review(review), theme.panel) for review in Review}
    marks |= {f"flag {flag.value}": contrast(theme.flag(flag.value), theme.panel) for flag in Flag}
    marks |= {f"flag {word}": contrast(theme.flag(word), theme.panel) for word in map(str, range(300))}
    marks |= {"focus": contrast(theme.accent, theme.window)}
    assert not {name: round(ratio, 2) for name, ratio in marks.items() if ratio < 3}


# The size of the text


@pytest.mark.parametrize("which", ["annotate", "library"])
def test_larger_text_is_larger_everywhere_at_once_and_kept(which, request, dressed, qtbot) -> None:
    window = request.getfixturevalue(which)
    wear(dressed, DARK)
    before = {widget: widget.font().pointSizeF() for widget in window.findChildren(QWidget)}
    for _ in range(20):
        window.actions_by_name["text_larger"].trigger()
    assert text_size() == SIZES[-1]

    def wrong(factor: float, *, shown: bool = False) -> dict[str, float]:
        found = {
            w: w.font().pointSizeF() / size for w, size in before.items() if size > 0 and (w.isVisible() or not shown)
        }
        return {described(w): round(ratio, 2) for w, ratio in found.items() if not abs(ratio / factor - 1) < 0.05}

    assert not wrong(2, shown=True)
    qtbot.waitUntil(lambda: not wrong(2))
    window.actions_by_name["text_usual"].trigger()
    assert not wrong(1, shown=True)
    qtbot.waitUntil(lambda: not wrong(1))
    for _ in range(20):
        choose_text_size(-1)
    assert text_size() == SIZES[0]


def test_controls_grow_with_the_text_and_the_window_goes_on_painting(annotate, dressed, qtbot) -> None:
    wear(dressed, DARK)
    button = next(b for b in annotate.findChildren(QAbstractButton) if b.isVisible() and b.text() == "Accept")
    before = button.minimumHeight()
    for _ in range(4):
        annotate.actions_by_name["text_larger"].trigger()
    qtbot.waitUntil(lambda: button.minimumHeight() > before)
    qtbot.waitUntil(annotate.updatesEnabled)
    annotate.actions_by_name["text_usual"].trigger()
    qtbot.waitUntil(lambda: button.minimumHeight() == before)
    qtbot.waitUntil(annotate.updatesEnabled)


@pytest.mark.parametrize("size", [1.5, 2.0])
@pytest.mark.parametrize("which", ["annotate", "library"])
def test_no_text_of_a_button_is_cut_off_when_it_is_large(which, size, request, dressed, qtbot) -> None:
    QSettings("Playtape", "Playtape").setValue("text_size", size)
    wear_text_size(dressed, size)
    wear(dressed, LIGHT)
    window = request.getfixturevalue(which)
    window.resize(1272, 768)
    qtbot.waitUntil(lambda: window.width() <= 1300)
    cut = []
    for button in window.findChildren(QAbstractButton):
        if button.isVisible() and button.text():
            metrics = button.fontMetrics()
            needed = metrics.horizontalAdvance(button.text().replace("&", ""))
            if button.height() < metrics.height() or button.width() < needed:
                cut.append((described(button), button.width(), needed, button.height(), metrics.height()))
    assert not cut


@pytest.mark.parametrize("stored", ["huge", "", -3, 99, "nan"])
def test_a_bad_stored_size_is_one_that_can_be_read(stored) -> None:
    QSettings("Playtape", "Playtape").setValue("text_size", stored)
    assert text_size() in SIZES


# The layout


def test_panes_are_where_they_were_and_can_be_as_they_come(annotate, store, qtbot) -> None:
    def panes(window: QWidget) -> list[list[int]]:
        return [splitter.sizes() for splitter in window.findChildren(QSplitter)]

    usual = panes(annotate)
    for splitter in annotate.findChildren(QSplitter):
        sizes = splitter.sizes()
        splitter.setSizes([sizes[0] + 40, sizes[1] - 40, *sizes[2:]])
    moved = panes(annotate)
    assert moved != usual
    annotate.close()
    again = AnnotateWindow(store, "ann")
    qtbot.addWidget(again)
    again.show()
    assert again.open_session(store.search()[0].id)
    qtbot.waitUntil(lambda: again.editing is not None)
    qtbot.waitUntil(lambda: panes(again) == moved)
    again.actions_by_name["reset_layout"].trigger()
    qtbot.waitUntil(lambda: panes(again) == usual)
    again.close()


@pytest.mark.parametrize("stored", ["x", b"\x00\x01", 5])
def test_a_layout_that_cannot_be_read_is_the_usual_one(stored, store, qtbot) -> None:
    settings = QSettings("Playtape", "Playtape")
    first = AnnotateWindow(store, "ann")
    qtbot.addWidget(first)
    for key in ("geometry", *first.placement._splitters):
        settings.setValue(f"annotate/{key}", stored)
    again = AnnotateWindow(store, "ann")
    qtbot.addWidget(again)
    again.show()
    assert again.isVisible()
    for window in (first, again):
        window.close()


# Dialogs that actions open

LEAVE = {
    "annotate": {"close", "submit"},
    "library": {"close", "record", "label", "next", "sample"},
}
"""What closes the window, opens another or starts a program."""


@pytest.mark.parametrize("which", ["annotate", "library"])
def test_every_dialog_that_an_action_opens_has_names_and_tooltips(which, request, qtbot) -> None:
    window = request.getfixturevalue(which)
    seen, poor = set(), []
    for name, action in window.actions_by_name.items():
        if name in LEAVE[which] or not action.isEnabled() or action.isCheckable():
            continue
        action.trigger()
        for dialog in window.findChildren(QDialog):
            if dialog.isVisible() and not isinstance(dialog, QFileDialog | QInputDialog):
                seen.add(type(dialog).__name__)
                poor += [f"{name}: {line}" for line in unnamed(dialog)]
            dialog.reject()
    assert {"KeyEditor", "Palette"} | ({"ImportDialog", "ExportDialog"} if which == "library" else set()) <= seen
    assert not poor, "\n".join(poor)
