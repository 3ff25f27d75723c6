"""The library as a queue: filters, order, many at once, the trash, and the pages beside it."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QAbstractItemModelTester, QTest

from annotator.bulk import Deed
from annotator.ui.keys.key_sheet import KeySheet
from annotator.ui.library.bars import byte_words, time_words
from annotator.ui.library.filter_bar import FACETS, FacetChip, FilterBar
from annotator.ui.library.library_actions import LIBRARY_ACTIONS, LIBRARY_TABLE
from annotator.ui.library.library_window import LibraryWindow
from annotator.ui.library.storage_page import GIB
from annotator.ui.sessions.query import Order, Query
from annotator.ui.sessions.session_model import MOST_STEPS, SessionModel
from annotator.ui.two_step import TwoStepButton
from db.labelling.labels import Edit, LabelKind, Review
from db.library.catalogue import Wanted
from db.library.index import NAME
from db.library.listing import Listing, list_sessions
from db.settings import LibrarySettings, read_settings, write_settings
from db.store import Store

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def ids(store, make_session) -> list[str]:
    """Three sessions, the newest first: Maze of bob (10 frames), Arena of ann (30, labelled), Maze of ann (60)."""
    made = [
        make_session(store, count=60, game="Maze"),
        make_session(
            store, count=30, game="Arena", labels=[("instruction", 0, 5, "敵を避ける"), ("flag", 6, 9, "menu")]
        ),
        make_session(store, count=10, game="Maze", player="bob"),
    ]
    store.set_review(made[1], Review.LABELLED, "ann")
    return made[::-1]


@pytest.fixture
def window(store, ids, qtbot) -> LibraryWindow:
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitUntil(lambda: listed(opened) == ids)
    return opened


def listed(window: LibraryWindow) -> list[str]:
    return list(window.sessions.model.ids)


def choose(window: LibraryWindow, name: str, value: object) -> None:
    window.browse.bar.chips[name].choose(value)


def test_every_filter_finds_and_all_are_cleared_at_once(window, store, ids, qtbot) -> None:
    store.commit([Edit(session_id=ids[0], kind=LabelKind.ASSIGNEE, value="ann", author="ann")])
    bob, arena, maze = ids
    for name, value, found in (
        ("game", "Maze", [bob, maze]),
        ("player", "bob", [bob]),
        ("review", "labelled", [arena]),
        ("flag", "menu", [arena]),
        ("assignee", "ann", [bob]),
        ("assignee", "", [arena, maze]),
        ("length", "0.9..1.5", [arena]),
        ("date", "today", ids),
        ("date", "..2001-01-01", []),
        ("tag", "none", []),
    ):
        choose(window, name, value)
        qtbot.waitUntil(lambda found=found: listed(window) == found)
        assert not window.browse.bar.clear_all.isHidden()
        window.browse.bar.clear()
        qtbot.waitUntil(lambda: listed(window) == ids)
    assert window.browse.bar.clear_all.isHidden()


@pytest.mark.parametrize("player", ["bob", "nobody of that name"])
def test_the_list_has_the_keyboard_when_the_filters_are_cleared(window, ids, player, qtbot) -> None:
    window.activateWindow()
    window.actions_by_name["find"].trigger()
    choose(window, "player", player)
    qtbot.waitUntil(lambda: len(listed(window)) < len(ids))
    window.actions_by_name["clear_filters"].trigger()
    qtbot.waitUntil(lambda: listed(window) == ids)
    assert window.focusWidget() is window.sessions.view


def test_whoever_works_at_a_filter_stays_there_when_it_found_nothing(window, ids, qtbot) -> None:
    chip = window.browse.bar.chips["player"]
    window.activateWindow()
    chip.setFocus()
    choose(window, "player", "nobody of that name")
    qtbot.waitUntil(lambda: window.browse.nothing.isVisible())
    QTest.keyClick(chip, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: window.sessions.view.isVisible())
    assert listed(window) == ids
    assert window.focusWidget() is chip
    choose(window, "player", "nobody of that name")
    qtbot.waitUntil(lambda: window.browse.nothing.isVisible())
    window.actions_by_name["find"].trigger()
    QTest.keyClick(window.sessions.filter, Qt.Key.Key_Down)
    assert window.focusWidget() is window.browse.clear
    QTest.keyClick(window.browse.clear, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.sessions.view.isVisible())
    assert window.focusWidget() is window.sessions.view


def test_words_of_any_script_are_found_while_one_types(window, ids, qtbot) -> None:
    window.actions_by_name["find"].trigger()
    window.sessions.filter.setText("避け")
    qtbot.waitUntil(lambda: listed(window) == [ids[1]])
    window.sessions.filter.setText("nothing like it")
    qtbot.waitUntil(lambda: window.browse.nothing.title.text() == "Nothing matches")
    QTest.mouseClick(window.browse.clear, LEFT)
    qtbot.waitUntil(lambda: listed(window) == ids)


def test_the_list_is_sorted_by_anything_both_ways(window, store, ids, qtbot) -> None:
    sort = window.browse.bar.sort
    sort.choose(Order.LENGTH)
    qtbot.waitUntil(lambda: listed(window) == [ids[2], ids[1], ids[0]])
    sort.choose(Order.LENGTH)
    qtbot.waitUntil(lambda: listed(window) == ids)
    for order in Order:
        for descending in (True, False):
            assert set(list_sessions(store, Wanted(), order, descending=descending).ids) == set(ids)
            assert Query(Wanted(), order, descending).order_words
    assert sort.accessibleName() == "Sorted by length, ascending"


def test_a_chip_offers_what_is_in_use(window, store, qtbot) -> None:
    chip = window.browse.bar.chips["game"]
    chip._fill()
    assert [action.text() for action in chip.menu().actions()] == ["Any", "Arena", "Maze"]
    chip.menu().actions()[1].trigger()
    qtbot.waitUntil(lambda: len(listed(window)) == 1)
    assert chip.text() == "Game: Arena"
    QTest.keyClick(chip, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(listed(window)) == 3)
    assert store.search(trashed=True) == []


def test_many_are_accepted_and_taken_back(window, store, ids, qtbot) -> None:
    window.sessions.view.selectAll()
    assert window.browse.selection.count.text() == "3 of 3 selected"
    window.actions_by_name["ACCEPT"].trigger()
    qtbot.waitUntil(lambda: window.info.text == "3 sessions accepted.")
    assert {store.summary(i).review for i in ids} == {Review.ACCEPTED}
    qtbot.waitUntil(lambda: window.browse._errand is None)
    assert window.sessions.selected == ids
    QTest.mouseClick(window.info.action, LEFT)
    qtbot.waitUntil(lambda: window.info.text.startswith("Taken back: 3 sessions"))
    assert [store.summary(i).review for i in ids] == [Review.UNLABELLED, Review.LABELLED, Review.UNLABELLED]


def test_a_refusal_is_told_in_words(window, store, ids, qtbot) -> None:
    write_settings(store.root, LibrarySettings(no_self_accept=True))
    window.sessions.show_current(ids[1])
    window.actions_by_name["ACCEPT"].trigger()
    qtbot.waitUntil(lambda: "nobody accepts what they labelled themselves" in window.info.text)


def test_a_word_is_asked_for_in_place(window, store, ids, qtbot) -> None:
    window.sessions.show_current(ids[0])
    window.actions_by_name["TAG"].trigger()
    field = window.browse.selection.word
    assert field.isVisible()
    QTest.keyClicks(field, "hard")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [line.id for line in store.search(tag="hard")] == [ids[0]])
    qtbot.waitUntil(lambda: window.card.marks.text() == "#hard")
    assert window.sessions.model.index(0).data().endswith("unlabelled, #hard")
    window.browse.ask(Deed.ASSIGN)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert not field.isVisible()


def test_the_trash_keeps_gives_back_and_is_emptied_in_two_steps(window, store, ids, qtbot) -> None:
    window.sessions.show_current(ids[0])
    window.actions_by_name["TRASH"].trigger()
    qtbot.waitUntil(lambda: listed(window) == ids[1:])
    window.go("trash")
    qtbot.waitUntil(lambda: listed(window) == [ids[0]] and window.browse._errand is None)
    assert not window.actions_by_name["TRASH"].isEnabled()
    window.actions_by_name["RESTORE"].trigger()
    qtbot.waitUntil(lambda: window.browse.nothing.title.text() == "The trash is empty")
    assert len(store.search()) == 3
    store.trash(ids[2])
    qtbot.waitUntil(lambda: listed(window) == [ids[2]])
    button = window.browse.selection.empty
    choose(window, "game", "Maze")
    qtbot.waitUntil(lambda: not button.isEnabled())
    window.browse.bar.clear()
    qtbot.waitUntil(lambda: button.isEnabled() and listed(window) == [ids[2]])
    QTest.mouseClick(button, LEFT)
    assert button.text() == "Delete all 1 for good?"
    assert store.search(trashed=True)
    QTest.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: window.info.text.startswith("1 session deleted for good, "))
    qtbot.waitUntil(lambda: window.browse.nothing.isVisible())
    assert window.browse.isAncestorOf(window.focusWidget())
    assert store.search(trashed=True) == []
    window.go("sessions")
    qtbot.waitUntil(lambda: listed(window) == ids[:2])


def test_keys_do_nothing_to_sessions_that_another_page_hides(window, store, ids, qtbot) -> None:
    window.sessions.show_current(ids[0])
    deeds = [window.actions_by_name[name] for name in ("ACCEPT", "REJECT", "TAG", "ASSIGN", "TRASH")]
    assert all(deed.isEnabled() for deed in deeds)
    for page in ("statistics", "storage", "review", "agreement", "rules"):
        window.go(page)
        assert not any(deed.isEnabled() for deed in deeds)
    QTest.keyClick(window, Qt.Key.Key_Delete)
    window.go("sessions")
    assert all(deed.isEnabled() for deed in deeds)
    assert store.search(trashed=True) == []


def test_after_everything_went_to_the_trash_it_comes_back_with_the_keys(window, store, ids, qtbot) -> None:
    window.activateWindow()
    window.sessions.view.setFocus()
    for session_id in ids:
        window.sessions.show_current(session_id)
        window.actions_by_name["TRASH"].trigger()
        qtbot.waitUntil(lambda gone=session_id: gone not in listed(window) and window.browse._errand is None)
    qtbot.waitUntil(lambda: window.browse.nothing.title.text() == "No sessions here")
    assert window.pages.currentWidget() is window.browse
    for count in (1, 2, 3):
        window.actions_by_name["undo"].trigger()
        qtbot.waitUntil(lambda count=count: len(listed(window)) == count and window.browse._errand is None)
    assert window.sessions.selected_count == 1
    assert not window.actions_by_name["undo"].isEnabled()


def test_the_windows_keys_work_from_the_search_field(window, qtbot) -> None:
    field = window.sessions.filter
    field.setFocus()
    QTest.keyClicks(field, "na")
    assert field.text() == "na"
    assert window.annotator is None
    QTest.keyClick(field, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.page == "storage")


def test_the_next_unlabelled_session_is_opened(window, ids, qtbot) -> None:
    window.actions_by_name["next"].trigger()
    assert window.annotator.editing.session_id == ids[0]
    window.actions_by_name["next"].trigger()
    assert window.annotator.editing.session_id == ids[2]
    window.annotator.close()


def test_progress_and_statistics(window, store, ids, qtbot) -> None:
    qtbot.waitUntil(lambda: [bar.name for bar in window.browse.progress.bars.bars] == ["All games", "Maze", "Arena"])
    assert window.browse.progress.bars.bars[2].figure == "1.0 s · 100% labelled · 0% accepted"
    window.go("statistics")
    qtbot.waitUntil(lambda: len(window.statistics.labels.bars) == 2)
    assert {bar.name for bar in window.statistics.labels.bars} == {"敵を避ける", "flag: menu"}
    assert window.statistics.people.bars[0].name == "ann"
    assert not window.grab().isNull()


def test_storage_counts_clears_and_copies(window, store, tmp_path, qtbot) -> None:
    (store.cache_dir / "big").write_bytes(bytes(5000))
    storage = window.storage
    window.go("storage")
    qtbot.waitUntil(lambda: any(bar.name == "Cache" for bar in storage.bars.bars))
    storage.quota.setValue(2)
    storage.set_quota()
    assert read_settings(store.root).cache_quota_bytes == 2 * GIB
    storage.clear.click()
    storage.clear.click()
    qtbot.waitUntil(lambda: not (store.cache_dir / "big").exists())
    storage.back_up_to(tmp_path / "copies")
    qtbot.waitUntil(lambda: storage.state.text().startswith("Copied to"))
    (copy,) = (tmp_path / "copies").iterdir()
    assert (copy / NAME).exists()
    with Store.open(copy, create=False) as opened:
        assert len(opened.search()) == 3


def test_large_changes_keep_selection_and_model_rules(store, make_session, qtbot) -> None:
    from dataclasses import replace

    make_session(store, count=10)
    (line,) = store.search()
    ids = [f"{number:08}-0000-0000-0000-000000000000" for number in range(MOST_STEPS * 3)]
    lines = {session_id: replace(line, id=session_id) for session_id in ids}
    model = SessionModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    resets = []
    model.modelReset.connect(lambda: resets.append(1))

    def show(shown: list[str]) -> None:
        model.refresh(Listing(shown, frozenset(shown)), {i: lines[i] for i in shown[:50]}, {})

    show(ids)
    assert len(resets) == 1
    show([session_id for number, session_id in enumerate(ids) if number not in (3, 4, 90)])
    show(ids)
    assert len(resets) == 1
    assert model.ids == ids
    assert (model.missing(0, 50), model.missing(48, 52)) == ([], ids[50:52])
    model.learn({ids[51]: lines[ids[51]]}, {})
    assert model.missing(48, 52) == [ids[50]]
    show(ids[::-1])
    assert len(resets) == 2
    assert model.row_of(ids[0]) == len(ids) - 1
    del tester


def test_keys_are_one_table_and_every_control_says_what_it_is(window, qtbot) -> None:
    keys = [key for spec in LIBRARY_ACTIONS for key in spec.keys]
    assert len(set(keys)) == len(keys)
    sheet = KeySheet(LIBRARY_TABLE, window)
    sheet.show()
    assert not sheet.grab().isNull()
    sheet.close()
    buttons = [window.record, window.next, *window.tabs.buttons(), *window.browse.selection.buttons.values()]
    for button in (*buttons, *window.browse.bar.chips.values(), window.browse.bar.sort, window.browse.bar.clear_all):
        assert "(" in button.toolTip()
        assert button.accessibleName() or button.text()
        assert button.focusPolicy() != Qt.FocusPolicy.NoFocus


def test_a_question_is_taken_back_when_the_button_is_left(qtbot) -> None:
    button = TwoStepButton("Empty", "Really?", "Empties")
    qtbot.addWidget(button)
    confirmed = []
    button.confirmed.connect(lambda: confirmed.append(1))
    button.click()
    button.calm()
    button.click()
    assert confirmed == []
    button.click()
    assert confirmed == [1]


def test_a_narrow_bar_wraps(qtbot) -> None:
    bar = FilterBar()
    qtbot.addWidget(bar)
    assert set(bar.chips) == set(FACETS)
    assert all(isinstance(chip, FacetChip) for chip in bar.chips.values())
    assert bar.layout().heightForWidth(260) > bar.layout().heightForWidth(1200)


def test_figures_are_written_for_people() -> None:
    assert [time_words(s) for s in (4.25, 42, 750, 11_520)] == ["4.2 s", "42 s", "12.5 min", "3.2 h"]
    assert [byte_words(n) for n in (12, 812_000, 3.4e9, 2e12)] == ["12 B", "812 kB", "3.4 GB", "2.0 TB"]
