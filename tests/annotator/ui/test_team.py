"""Review, agreement, rules and export in the library's window."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QInputDialog
from sqlalchemy import update

from annotator.ui.library.agreement_page import histogram
from annotator.ui.library.label_export_dialog import LabelExportDialog
from annotator.ui.library.library_window import LibraryWindow
from annotator.ui.library.settings_page import GIB, SettingsPage
from db.labelling.annotations import read_csv
from db.labelling.labels import Edit, LabelKind, Review, spans
from db.labelling.readings import Stage, marks, source_of
from db.library.tables import SessionRow
from db.recording.qa import Grade
from db.settings import LibrarySettings, change_settings, read_settings, write_settings

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def open_library(store, qtbot):
    opened: list[LibraryWindow] = []

    def make(person: str) -> LibraryWindow:
        window = LibraryWindow(store, person)
        opened.append(window)
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        return window

    yield make
    for window in opened:
        window.close()
    qtbot.waitUntil(lambda: all(window.annotator is None for window in opened))


def submit(store, session_id: str) -> None:
    store.set_review(session_id, Review.LABELLED, "ann")


def read_twice(store, session_id: str, *said: tuple[LabelKind, int, int, str]) -> None:
    own = {"session_id": session_id, "author": "bob", "source": source_of("bob"), "suggested": True}
    store.commit([Edit(kind=kind, start=start, stop=stop, value=value, **own) for kind, start, stop, value in said])
    store.commit([Edit(kind=LabelKind.REVIEW, value=Review.LABELLED.value, **own)])


def test_the_queue_is_shown_and_decided_by_key(store, make_session, open_library, qtbot) -> None:
    said = [("flag", 0, 5, "bad capture")]
    ids = [make_session(store, labels=said if n == 1 else None) for n in range(3)]
    for session_id in ids:
        submit(store, session_id)
    window = open_library("eve")
    page = window.team.review
    QTest.keyClick(window, Qt.Key.Key_5, CTRL)
    qtbot.waitUntil(lambda: len(page.model.turns) == 3)
    assert page.model.turns[0].session_id == ids[1]
    assert page.model.index(0, 4).data() == "flagged: bad capture"
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_B, SHIFT)
    dialog = window.findChild(QInputDialog)
    dialog.setTextValue("the end is black")
    dialog.accept()
    qtbot.waitUntil(lambda: len(page.model.turns) == 2)
    assert store.summary(ids[1]).review is Review.REJECTED
    comments = [(e.start, e.stop, e.value) for e in spans(store.edits(ids[1]), LabelKind.COMMENT)]
    assert comments == [(0, 90, "the end is black")]
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    page.table.selectAll()
    QTest.keyClick(page.table, Qt.Key.Key_A, SHIFT)
    qtbot.waitUntil(lambda: page.model.turns == [] and page._errand is None)
    assert window.info.text == "2 sessions accepted."
    QTest.mouseClick(window.info.action, LEFT)
    qtbot.waitUntil(lambda: len(page.model.turns) == 2)


def test_next_to_review_opens_the_annotator_on_the_queue(store, make_session, open_library, qtbot) -> None:
    ids = [make_session(store) for _ in range(2)]
    for session_id in ids:
        submit(store, session_id)
    window = open_library("eve")
    QTest.keyClick(window.sessions.view, Qt.Key.Key_N, SHIFT)
    qtbot.waitUntil(lambda: window.annotator is not None and window.annotator.editing is not None)
    order = [turn.session_id for turn in window.team.review.queues.review]
    assert window.annotator.editing.session_id == order[0]
    window.annotator.reviewing.decide(Review.ACCEPTED)
    qtbot.waitUntil(lambda: window.annotator.editing.session_id == order[1])
    assert store.summary(order[0]).review is Review.ACCEPTED


def test_what_was_not_sampled_is_accepted_all_at_once(store, make_session, open_library, qtbot) -> None:
    write_settings(store.root, LibrarySettings(least_share=0.0, trusted_h=1e-9))
    old, *fresh = [make_session(store) for _ in range(4)]
    store.set_review(old, Review.ACCEPTED, "eve")
    for session_id in fresh:
        submit(store, session_id)
    with store.writing() as connection:
        connection.execute(update(SessionRow).values(grade=Grade.GOOD.value))
    window = open_library("eve")
    window.go("review")
    page = window.team.review
    page.show_part("not_drawn")
    qtbot.waitUntil(lambda: len(page.model.turns) == 3)
    assert page.queues.review == ()
    QTest.mouseClick(page.accept_rest, LEFT)
    assert store.summary(fresh[0]).review is Review.LABELLED
    QTest.mouseClick(page.accept_rest, LEFT)
    qtbot.waitUntil(lambda: page.model.turns == [] and page._errand is None)
    assert {store.summary(one).review for one in fresh} == {Review.ACCEPTED}


def test_second_readings_and_comparisons_are_opened_in_their_seats(store, make_session, open_library, qtbot) -> None:
    write_settings(store.root, LibrarySettings(double_label_share=1.0))
    said = [("instruction", 0, 20, "go in")]
    session_id = make_session(store, labels=said)
    submit(store, session_id)
    window = open_library("bob")
    window.go("review")
    page = window.team.review
    page.show_part("second")
    qtbot.waitUntil(lambda: len(page.model.turns) == 1)
    page.open_chosen()
    qtbot.waitUntil(lambda: window.annotator.editing is not None)
    assert window.annotator.editing.document.spans() == []
    window.annotator.editing.create(LabelKind.INSTRUCTION, 5, 20, "enter")
    window.annotator.submit()
    page.show_part("compare")
    qtbot.waitUntil(lambda: len(page.model.turns) == 1)
    page.open_chosen()
    qtbot.waitUntil(lambda: window.annotator.editing.comparing.is_on)
    assert len(window.annotator.editing.comparing.places) == 1
    window.annotator.editing.comparing.choose_next()
    window.annotator.actions_by_name["take_second"].trigger()
    window.annotator.submit()
    assert marks(store)[session_id].stage is Stage.COMPARED


def test_agreement_is_measured_and_its_figures_can_be_copied(store, make_session, open_library, qtbot) -> None:
    for slip in range(6):
        session_id = make_session(store, labels=[("instruction", 10, 40, "go in"), ("flag", 50, 70, "idle")])
        submit(store, session_id)
        said = (LabelKind.INSTRUCTION, 10 + slip, 40, "Go in!"), (LabelKind.FLAG, 50, 70 - slip, "idle")
        read_twice(store, session_id, *said)
    window = open_library("eve")
    window.go("agreement")
    page = window.team.agreement
    qtbot.waitUntil(lambda: page.agreements.whole.sessions == 6)
    assert [row.name for row in page.flags.rows] == ["idle"]
    assert page.flags.rows[0].low < page.flags.rows[0].value < page.flags.rows[0].high
    assert page.spans.rows[2].value == 1.0
    assert [page.who.itemText(n) for n in range(page.who.count())] == ["Everybody", "ann and bob"]
    page.errors.setFocus()
    QTest.keyClick(page.errors, Qt.Key.Key_C, CTRL)
    assert "0\t7" in QGuiApplication.clipboard().text()
    assert not page.grab().isNull()


def test_errors_stand_in_the_columns_that_their_names_say() -> None:
    names, counts = histogram([-99, -60, -16, -1, 0, 0, 1, 4, 9, 31, 500])
    found = {name: count for name, count in zip(names, counts, strict=True) if count}
    expected = {"≤ -31": 2, "-30…-16": 1, "-1": 1, "0": 2, "+1": 1, "+2…+4": 1, "+9…+15": 1, "≥ +31": 2}
    assert found == expected


def test_rules_are_stored_whole_and_other_windows_notice(store, qtbot) -> None:
    mine, theirs = (SettingsPage(store.root, person) for person in ("ann", "bob"))
    for page in (mine, theirs):
        qtbot.addWidget(page)
        page.show()
    assert not mine.save.isEnabled()
    mine.no_self_accept.setChecked(True)
    mine.double_share.setValue(7.5)
    mine.quota.setValue(3)
    mine.stewards.setFocus()
    QTest.keyClicks(mine.stewards, "ann,  eve, ann")
    assert mine.save.isEnabled()
    QTest.keyClick(mine.stewards, Qt.Key.Key_Return)
    stored = read_settings(store.root)
    assert (stored.no_self_accept, stored.double_label_share, stored.stewards) == (True, 0.075, ("ann", "eve"))
    assert stored.cache_quota_bytes == 3 * GIB
    theirs.look()
    assert theirs.no_self_accept.isChecked()
    assert not theirs.double_share.isEnabled()
    assert "changed by ann, eve" in theirs.state.text()


def test_what_somebody_types_survives_what_others_store(store, qtbot) -> None:
    page = SettingsPage(store.root, "ann")
    qtbot.addWidget(page)
    page.trusted_h.setValue(9)
    change_settings(store.root, "bob", lambda s: s.model_copy(update={"no_self_accept": True}))
    page.look()
    assert (page.trusted_h.value(), "meanwhile" in page.state.text()) == (9.0, True)
    page.put_back.click()
    assert (page.trusted_h.value(), page.no_self_accept.isChecked()) == (2.0, True)
    page.stewards.setText("eve")
    page._judge()
    page.store()
    assert "Name yourself" in page.state.text()
    assert read_settings(store.root).stewards == ()


def test_labels_are_exported_from_the_window(store, make_session, open_library, tmp_path, qtbot) -> None:
    ids = [make_session(store, labels=[("instruction", 0, 20, "=go")]) for _ in range(2)]
    window = open_library("ann")
    qtbot.waitUntil(lambda: window.sessions.current != "")
    QTest.keyClick(window.sessions.view, Qt.Key.Key_E, CTRL)
    dialog = window.findChild(LabelExportDialog)
    assert dialog.all.isChecked()
    path = tmp_path / "said.json"
    dialog.path.setText(str(path))
    dialog.formats["json"].setChecked(True)
    dialog.formats["csv"].setChecked(True)
    assert dialog.path.text().endswith("said.csv")
    QTest.mouseClick(dialog.go, LEFT)
    qtbot.waitUntil(lambda: "2 spans of 2 sessions" in dialog.state.text() and dialog.go.isEnabled())
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        assert sorted(row.session for row in read_csv(file)) == sorted(ids)
    dialog.path.setText(str(tmp_path / "no" / "said.csv"))
    QTest.mouseClick(dialog.go, LEFT)
    qtbot.waitUntil(lambda: "There is no folder" in dialog.state.text() and dialog.go.isEnabled())
    dialog.reject()
