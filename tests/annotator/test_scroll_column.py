from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from annotator.ui.scroll_column import ScrollColumn


@pytest.fixture
def column(qapp):
    content = QWidget()
    layout = QVBoxLayout(content)
    for _ in range(6):
        label = QLabel("Words that take more lines the narrower they stand. " * 3)
        label.setWordWrap(True)
        layout.addWidget(label)
    made = ScrollColumn(content)
    made.show()
    yield made
    made.close()


def test_the_content_is_as_wide_whether_or_not_there_is_something_to_scroll(qapp, column):
    """Else the bar changes the width, the width the height, and the height the bar: Qt then never comes to an end."""
    widths, needs = set(), set()
    for height in range(120, 700, 7):
        column.resize(400, height)
        qapp.processEvents()
        widths.add(column.viewport().width())
        needs.add(column.verticalScrollBar().maximum() > 0)
    assert needs == {True, False}
    assert len(widths) == 1


def test_a_bar_with_nothing_to_scroll_is_not_seen(qapp, column):
    column.resize(400, 700)
    qapp.processEvents()
    bar = column.verticalScrollBar()
    assert bar.maximum() == 0
    shown = column.grab(bar.parentWidget().geometry()).toImage()
    assert len({shown.pixel(x, y) for x in range(shown.width()) for y in range(shown.height())}) == 1
    column.resize(400, 200)
    qapp.processEvents()
    shown = column.grab(bar.parentWidget().geometry()).toImage()
    assert len({shown.pixel(x, y) for x in range(shown.width()) for y in range(shown.height())}) > 1
