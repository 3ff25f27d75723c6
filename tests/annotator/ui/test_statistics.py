"""The page of figures: what is counted is shown, said on hovering, copied and written."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest

from annotator.model.library.figures import COLUMNS
from annotator.ui.library.charts import ColumnChart, LineChart, Series
from annotator.ui.library.statistics_page import StatisticsPage, shown_days
from db.labelling.labels import Edit, LabelKind, Review

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def page(store, make_session, qtbot) -> StatisticsPage:
    """Ann labels ten spans in 90 s on one day, twenty in 90 s two days later; Bob reads a second time."""
    session_id = make_session(store)
    for days, count in ((0, 10), (2, 20)):
        for at in range(count):
            when = DAY + timedelta(days=days, seconds=90 / (count - 1) * at)
            span = {"start": at * 2, "stop": at * 2 + 2, "value": "=1+1", "author": "ann", "at": when}
            store.commit([Edit(session_id=session_id, kind=LabelKind.INSTRUCTION, **span)])
    own = {"author": "bob", "source": "second:bob", "suggested": True, "at": DAY}
    store.commit([Edit(session_id=session_id, kind=LabelKind.FLAG, start=0, stop=45, value="idle", **own)])
    state = {"value": Review.LABELLED.value, "author": "ann", "at": DAY}
    store.commit([Edit(session_id=session_id, kind=LabelKind.REVIEW, **state)])
    shown = StatisticsPage(store.root)
    qtbot.addWidget(shown)
    shown.show()
    shown.look()
    qtbot.waitUntil(lambda: bool(shown.figures.games))
    yield shown
    shown.close_threads()


def test_speed_and_hours_are_counted_day_by_day(page) -> None:
    work = {(day.author, day.day.day): day for day in page.figures.days}
    assert work["ann", 1].spans_per_hour == pytest.approx(10 * 3600 / 90, rel=0.01)
    assert work["ann", 3].spans_per_hour == pytest.approx(20 * 3600 / 90, rel=0.01)
    assert (work["bob", 1].spans, work["bob", 1].spans_per_hour) == (1, None)
    assert list(page.figures.labelled_s) == [date(2026, 3, 1)]
    assert page.hours.places == ["1 Mar", "2 Mar", "3 Mar"]
    assert page.hours.series[0].values == pytest.approx((3.0 / 60, 0, 0), rel=0.01)
    assert [one.name for one in page.speed.series] == ["ann"]
    assert page.speed.series[0].values[1] is None
    assert {person.author for person in page.figures.people} == {"ann", "bob"}


def test_a_label_has_a_share_of_what_is_labelled(page) -> None:
    (label,) = page.figures.labels
    assert page.figures.coverage(label) == pytest.approx(60 / 90, rel=0.01)
    assert "66.7%" in page.labels.bars[0].figure


def test_figures_are_copied_and_written(page, tmp_path) -> None:
    page.copy.click()
    assert "annotator by day\tann\t2026-03-03\tspans\t20.0" in QGuiApplication.clipboard().text()
    said: list[str] = []
    page.told.connect(said.append)
    page.save_figures(tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert ["label", "'=1+1", "", "coverage", "0.666667"] in rows
    page.save_figures(tmp_path / "no" / "figures.csv")
    assert "figures.csv" in said[-1]


@pytest.mark.parametrize("kind", [LineChart, ColumnChart])
def test_a_chart_says_its_figures_by_mouse_and_by_key(kind, qtbot) -> None:
    chart = kind("Speed", "an hour")
    qtbot.addWidget(chart)
    chart.show_series(["Mon", "Tue", "Wed"], [Series("ann", (1.0, None, 12.5)), Series("bob", (0.0, 3.0, 4.0), "good")])
    chart.resize(300, 150)
    chart.show()
    assert chart.figures() == "\tann\tbob\nMon\t1\t0\nTue\t\t3\nWed\t12.5\t4"
    QTest.mouseMove(chart, QPoint(100, 60))
    QTest.mouseMove(chart, QPoint(280, 60))
    qtbot.waitUntil(lambda: chart._hovered == 2)
    assert chart._words(2) == "Wed\nann: 12.5 an hour\nbob: 4 an hour"
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert chart._hovered == 1
    QTest.keyClick(chart, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == chart.figures()
    assert not chart.grab().isNull()
    chart.show_series([], [])
    assert not chart.grab().isNull()


def test_days_are_shown_without_holes() -> None:
    assert shown_days(set()) == []
    assert shown_days({date(2026, 3, 1), date(2026, 3, 3)}) == [date(2026, 3, day) for day in (1, 2, 3)]
    assert len(shown_days({date(2020, 1, 1), date(2026, 1, 1)})) == 60
