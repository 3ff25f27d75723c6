"""What the windows say, and controls that can be seen, in the scheme that is worn now and after a change of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QApplication, QCheckBox, QRadioButton, QVBoxLayout, QWidget

from annotator.ui.notices import InfoBar
from annotator.ui.theme import DARK, LIGHT, Theme, blend, contrast, wear


@pytest.fixture
def app(qapp: QApplication) -> Iterator[QApplication]:
    before, sheet = qapp.palette(), qapp.styleSheet()
    yield qapp
    qapp.setPalette(before)
    qapp.setStyleSheet(sheet)


def test_a_message_follows_from_dark_to_light_while_it_is_shown(app, qtbot) -> None:
    wear(app, DARK)
    bar = InfoBar()
    qtbot.addWidget(bar)
    bar.resize(400, 40)
    bar.offer("It was moved.", "Undo", bar.hide)
    for theme in (DARK, LIGHT, DARK):
        wear(app, theme)
        ground = blend(theme.warn, theme.panel, 0.22)
        assert bar.grab().toImage().pixelColor(6, 20) == ground
        label = bar.children()[1]
        assert label.palette().windowText().color() == QColor(theme.text)
        assert contrast(theme.text, ground) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("control", [QCheckBox, QRadioButton])
def test_an_empty_choice_can_be_seen(app, qtbot, theme: Theme, control: type) -> None:
    wear(app, theme)
    whole = QWidget()
    qtbot.addWidget(whole)
    choice = control("Choose it")
    QVBoxLayout(whole).addWidget(choice)
    image = whole.grab().toImage()
    rows = range(choice.y(), choice.y() + choice.height())
    columns = range(choice.x(), choice.x() + 14)
    strongest = max(contrast(image.pixelColor(x, y), theme.window) for x in columns for y in rows)
    assert strongest >= 3
