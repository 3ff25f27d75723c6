"""Filters with several values and with counts, searches that are kept, new recordings, long lists, many at once."""

from __future__ import annotations

from datetime import date

import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtTest import QTest
from sqlalchemy import insert

from annotator.bulk import Deed
from annotator.ui.library.library_window import LibraryWindow
from annotator.ui.library.range_dialog import DateDialog, LengthDialog
from annotator.ui.pace import Pace
from annotator.ui.sessions.query import Order
from annotator.ui.sessions.ranges import DATES, LENGTHS, date_range, length_range, range_words
from annotator.ui.sessions.session_delegate import picture_area
from annotator.ui.sessions.session_list import AROUND
from annotator.ui.sessions.session_model import MARKS_ROLE
from db.labelling.labels import Edit, LabelKind, Review, new_id
from db.library.catalogue import NOBODY, Wanted
from db.library.listing import count_choices, count_sessions, list_sessions
from db.library.tables import SessionRow
from db.store import Store


@pytest.fixture
def ids(store, make_session) -> list[str]:
    """The newest first: Pong of eve, Maze of bob, Arena of ann with a flag."""
    made = [
        make_session(store, count=30, game="Arena", labels=[("flag", 6, 9, "menu")]),
        make_session(store, count=10, game="Maze", player="bob"),
        make_session(store, count=10, game="Pong", player="eve"),
    ]
    return made[::-1]


def open_window(store: Store, qtbot, count: int = 3) -> LibraryWindow:
    window = LibraryWindow(store, "ann")
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: len(window.sessions.model.ids) == count)
    return window


def listed(window: LibraryWindow) -> list[str]:
    return list(window.sessions.model.ids)


def crowd(store: Store, count: int) -> None:
    """Many lines that have no folders."""
    (line,) = store.search(game="Pong")
    with store.reading() as connection:
        row = dict(connection.execute(SessionRow.__table__.select().where(SessionRow.id == line.id)).one()._mapping)
    with store.writing() as connection:
        connection.execute(insert(SessionRow), [row | {"id": new_id(), "game": "Crowd"} for _ in range(count)])


def test_several_values_of_a_filter_are_ticked_by_key(store, ids, qtbot) -> None:
    window = open_window(store, qtbot)
    chip = window.browse.bar.chips["game"]
    menu = chip.menu()
    qtbot.waitUntil(lambda: len(chip._choices()) == 3)
    menu.popup(window.mapToGlobal(window.rect().center()))
    qtbot.waitUntil(lambda: menu.actions()[1].text() == "Arena\t1")
    for _ in range(2):
        QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Space)
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Space)
    assert menu.isVisible()
    assert chip.values == ("Arena", "Maze")
    assert chip.text() == "Game: Arena, Maze"
    menu.close()
    qtbot.waitUntil(lambda: listed(window) == ids[1:])
    chip.toggle_value("Maze")
    qtbot.waitUntil(lambda: listed(window) == ids[2:])


def test_choices_say_how_many_they_find_beside_the_other_filters(store, ids) -> None:
    store.commit([Edit(session_id=ids[0], kind=LabelKind.ASSIGNEE, value="ann", author="ann")])
    assert count_choices(store, Wanted(), "game") == {"Arena": 1, "Maze": 1, "Pong": 1}
    assert count_choices(store, Wanted(game="Maze", player="bob"), "game") == {"Maze": 1}
    assert count_choices(store, Wanted(), "flag") == {"menu": 1}
    assert count_choices(store, Wanted(game=("Maze", "Pong")), "flag") == {}
    assert count_choices(store, Wanted(), "assignee") == {"ann": 1, NOBODY: 2}
    assert count_sessions(store, Wanted(assignee=(NOBODY, "ann"), review=(Review.UNLABELLED, Review.FIXING))) == 3
    listing = list_sessions(store, Wanted(), Order.GAME, descending=False)
    assert (listing.ids, listing.waiting) == (ids[::-1], frozenset(ids))


def test_ranges_are_read_and_said() -> None:
    day = date(2026, 11, 20)  # a Friday
    spans = {value: date_range(value, day) for _, value in DATES}
    first = {value: since.date().isoformat() for value, (since, _) in spans.items()}
    assert (first["week"], first["month"], first["7d"]) == ("2026-11-16", "2026-11-01", "2026-11-14")
    assert spans["yesterday"][1].date() == day
    assert date_range("2026-01-02..2026-01-03", day)[1].date() == date(2026, 1, 4)
    assert date_range("nonsense", day) == (None, None)
    assert [length_range(value) for _, value in LENGTHS][:2] == [(None, 60.0), (60.0, 600.0)]
    assert length_range("a..b") == (None, None)
    assert [range_words(text) for text in ("90..", "..60", "2026-01-02..2026-01-03")] == [
        "from 1.5 min", "up to 1 min", "2026-01-02 to 2026-01-03"
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), [(LengthDialog, "60..600"), (DateDialog, "2026-01-02..2026-01-03")])
def test_a_range_of_ones_own_is_asked_for(kind, value, qtbot) -> None:
    dialog = kind(value)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    given = []
    dialog.given.connect(given.append)
    with qtbot.waitExposed(dialog):
        dialog.open()
    QTest.keyClick(dialog.low, Qt.Key.Key_Return)
    assert given == [value]


def test_a_length_is_typed_in_place_of_what_stands_there(qtbot) -> None:
    dialog = LengthDialog("")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    given = []
    dialog.given.connect(given.append)
    with qtbot.waitExposed(dialog):
        dialog.open()
    QTest.keyClicks(dialog.low, "0.5")
    QTest.keyClick(dialog.low, Qt.Key.Key_Return)
    assert given == ["30.."]


def test_filters_and_saved_searches_are_there_the_next_time(store, ids, qtbot) -> None:
    window = open_window(store, qtbot)
    bar, saved = window.browse.bar, window.browse.saved
    assert saved.isHidden()
    bar.chips["game"].choose("Maze", "Pong")
    bar.chips["length"].choose("..60")
    bar.sort.choose(Order.GAME)
    qtbot.waitUntil(lambda: listed(window) == [ids[1], ids[0]])
    window.actions_by_name["save_search"].trigger()
    QTest.keyClicks(saved.field, "my games")
    QTest.keyClick(saved.field, Qt.Key.Key_Return)
    assert saved.chips["my games"].isChecked()
    window.close()

    again = open_window(store, qtbot, 2)
    assert again.browse.bar.state() == bar.state()
    assert again.browse.saved.chips["my games"].isChecked()
    again.browse.bar.clear()
    qtbot.waitUntil(lambda: len(listed(again)) == 3)
    chip = again.browse.saved.chips["my games"]
    assert not chip.isChecked()
    QTest.keyClick(chip, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: listed(again) == [ids[1], ids[0]])
    QTest.keyClick(chip, Qt.Key.Key_Delete)
    assert again.browse.saved.chips == {}
    again.info.action.click()
    assert set(again.browse.saved.chips) == {"my games"}


def test_what_was_kept_and_is_odd_is_left_out(store, ids, qtbot) -> None:
    bar = open_window(store, qtbot).browse.bar
    bar.restore(
        {"text": None, "chips": {"review": ["gone", "labelled"], "nothing": ["x"], "game": 3}, "sort": ["x", 1]}
    )
    assert bar.query().wanted == Wanted(review=(Review.LABELLED,))


def test_a_new_recording_that_a_filter_hides_is_told_of(store, ids, make_session, qtbot) -> None:
    window = open_window(store, qtbot)
    window.browse.bar.chips["game"].choose("Maze")
    qtbot.waitUntil(lambda: listed(window) == [ids[1]])
    with Store.open(store.root) as other:
        shown = make_session(other, count=10, game="Maze")
        hidden = make_session(other, count=10, game="Pong")
    qtbot.waitUntil(lambda: listed(window) == [shown, ids[1]])
    assert window.sessions.selected == [ids[1]]
    news = window.browse.bar.news
    qtbot.waitUntil(lambda: news.isVisible() and news.text() == "1 new, hidden by the filters")
    QTest.mouseClick(news, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: listed(window) == [hidden, shown, *ids])
    assert news.isHidden()


def test_a_long_list_fetches_what_comes_into_view(store, ids, qtbot) -> None:
    crowd(store, 1500)
    window = open_window(store, qtbot, 1503)
    model, view = window.sessions.model, window.sessions.view
    last = model.ids[-1]
    assert model.line(last) is None
    assert model.data(model.index(1502)) is None
    assert not view.grab().isNull()
    view.scrollToBottom()
    qtbot.waitUntil(lambda: model.line(last) is not None)
    assert model.line(model.ids[700]) is None
    assert model.line(model.ids[-AROUND]) is not None
    view.selectAll()
    assert len(window.sessions.selected) == 1503
    assert window.browse.selection.count.text() == "1,503 of 1,503 selected"


def test_many_are_untagged_released_and_set_back(store, ids, qtbot) -> None:
    window = open_window(store, qtbot)
    store.set_review(ids[0], Review.ACCEPTED, "bob")
    store.set_review(ids[1], Review.LABELLED, "bob")
    for kind, value in ((LabelKind.TAG, "hard"), (LabelKind.ASSIGNEE, "bob")):
        store.commit([Edit(session_id=i, kind=kind, value=value, author="ann") for i in ids[:2]])
    window.sessions.view.selectAll()

    def wait(text: str) -> None:
        qtbot.waitUntil(lambda: window.info.text == text and window.browse._errand is None)

    window.actions_by_name[Deed.REOPEN.name].trigger()
    wait("2 sessions set back.")
    assert [store.summary(i).review for i in ids] == [Review.LABELLED, Review.UNLABELLED, Review.UNLABELLED]
    window.actions_by_name[Deed.RELEASE.name].trigger()
    wait("2 sessions assigned to nobody.")
    assert len(store.search(assignee=NOBODY)) == 3
    window.actions_by_name[Deed.UNTAG.name].trigger()
    QTest.keyClicks(window.browse.selection.word, "hard")
    QTest.keyClick(window.browse.selection.word, Qt.Key.Key_Return)
    wait("2 sessions without the tag now.")
    assert store.search(tag="hard") == []
    for _ in range(3):
        window.browse.undo()
        qtbot.waitUntil(lambda: window.browse._errand is None)
    assert {line.id for line in store.search(tag="hard", assignee="bob")} == set(ids[:2])
    assert [store.summary(i).review for i in ids] == [Review.ACCEPTED, Review.LABELLED, Review.UNLABELLED]


def test_sessions_that_others_have_open_are_marked_and_left_to_them(store, ids, qtbot) -> None:
    window = open_window(store, qtbot)
    window.sessions.mark_open({ids[0]: "bob"})
    assert "bob has it open" in window.sessions.model.index(0).data()
    words, short = window.sessions.model.index(0).data(MARKS_ROLE)
    assert (words, short) == ("● bob has it open", "● bob")
    assert window.sessions.next_to_label("") == ids[1]
    window.sessions.mark_open({})
    assert window.sessions.next_to_label("") == ids[0]


def test_the_mouse_over_a_picture_looks_through_the_session(store, ids, qtbot) -> None:
    window = open_window(store, qtbot)
    sessions = window.sessions
    sessions.view.scrubbed.emit(sessions.model.index(2), 0.99)
    qtbot.waitUntil(lambda: sessions.model.strip[0] == ids[2])
    assert sessions.model.strip[2] == 7
    assert len(sessions.model.strip[1]) == 8
    assert list((store.cache_dir / "thumbnails").glob(f"{ids[2]}-*-strip.jpg"))
    assert not sessions.view.grab().isNull()
    area = picture_area(sessions.view.visualRect(sessions.model.index(2)).toRectF())
    place = QPointF(area.left() + 2, area.center().y()).toPoint()
    QTest.mouseMove(sessions.view.viewport(), place)
    qtbot.waitUntil(lambda: sessions.model.strip[2] == 0)
    sessions.view._leave()
    assert sessions.model.strip[0] == ""


def test_what_is_left_is_told_from_the_pace() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.words(0, 100) == ""
    now[0] = 10.0
    assert pace.words(10, 100) == "about 2 min left"
    assert pace.words(50, 100) == "about 10 s left"
    assert pace.words(100, 100) == ""


def test_the_card_says_which_keys_were_used(store, ids, qtbot) -> None:
    window = open_window(store, qtbot)
    window.sessions.show_current(ids[2])
    qtbot.waitUntil(lambda: window.card.usage.text() == "W 2 · A 1 · LMB 1 · mouse" and window.card.usage.isVisible())
