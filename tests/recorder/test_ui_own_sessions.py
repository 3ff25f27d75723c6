"""One's own sessions: the list follows the library, and sends, withdraws and deletes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QItemSelectionModel, Qt
from PyQt6.QtWidgets import QLabel

from db.errors import Withdrawn
from db.formats.interchange import import_session
from db.labelling.labels import Edit, LabelKind
from db.store import Store
from db.upkeep.withdrawal import apply_notice, find_withdrawal, sendings
from recorder.ui.own import session_deeds
from recorder.ui.own.own_sessions import OwnSessions
from recorder.ui.own.session_actions import Deed
from recorder.ui.own.session_table import GAME, LENGTH, PICTURE, RECORDED, SIZE, STATE, VERDICT
from recorder.ui.theme import DARK, LIGHT, wear
from recordings import Take, record

pytestmark = pytest.mark.usefixtures("own_settings")


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """A library with three sessions of ann's and one of bob's."""
    root = tmp_path_factory.mktemp("stocked") / "library"
    with Store.open(root) as store:
        ids = [record(store, Take(game=game)) for game in ("chess", "doom", "tux")]
        record(store, Take(player="bob"))
        kind = LabelKind.INSTRUCTION
        store.commit([Edit(session_id=ids[2], kind=kind, start=0, stop=5, value="jump", author="ann")])
    return root, ids


@pytest.fixture
def library(tmp_path, stocked):
    return Path(shutil.copytree(stocked[0], tmp_path / "library"))


@pytest.fixture
def ids(stocked):
    """Newest first, as they are listed."""
    return stocked[1][::-1]


@pytest.fixture
def own(qtbot, library, ids):
    made = OwnSessions(library, "ann")
    made.resize(1000, 560)
    qtbot.addWidget(made, before_close_func=lambda widget: widget.close_threads())
    made.show()
    qtbot.waitUntil(lambda: listed(made) == ids)
    return made


def listed(own) -> list[str]:
    return [line.summary.id for line in own.lines]


def cell(own, row: int, column: int) -> str:
    model = own.view.model()
    return model.data(model.index(row, column), Qt.ItemDataRole.DisplayRole)


def choose(own, *rows: int) -> None:
    own.view.clearSelection()
    flags = QItemSelectionModel.SelectionFlag
    for row in rows:
        own.view.selectionModel().select(own.view.model().index(row, GAME), flags.Select | flags.Rows)


def said(own) -> str:
    return "\n".join(label.text() for label in own.findChildren(QLabel) if label.isVisibleTo(own))


def answer(own, qtbot, deed: Deed, folder: Path | None = None) -> None:
    """Presses a deed's button, fills in the folder, says yes, and waits for the end."""
    {Deed.SEND: own.actions.send, Deed.WITHDRAW: own.actions.withdraw, Deed.DELETE: own.actions.delete}[deed].click()
    assert own.actions.asking
    if folder is not None:
        own.actions.folder.setText(str(folder))
    own.actions.yes.click()
    qtbot.waitUntil(lambda: own.actions.currentIndex() == 0)


def test_one_line_a_session(own, ids, themed, qtbot):
    assert [cell(own, row, GAME) for row in range(3)] == ["tux", "doom", "chess"]
    assert cell(own, 0, RECORDED).startswith("today, ")
    assert (cell(own, 0, LENGTH), cell(own, 0, VERDICT), cell(own, 0, STATE)) == ("0:01", "Usable", "not sent")
    assert cell(own, 0, SIZE).endswith("kB")
    assert "3 sessions  ·  0:03  ·  " in said(own)
    model = own.view.model()
    role = Qt.ItemDataRole.ToolTipRole
    assert "It is 1 s long" in model.data(model.index(0, VERDICT), role)
    cached = [own._library / "cache" / "thumbnails" / f"{session_id}-1.jpg" for session_id in ids]
    qtbot.waitUntil(lambda: all(path.exists() for path in cached))
    assert model.data(model.index(0, PICTURE), Qt.ItemDataRole.DecorationRole) is not None
    assert own.grab().width() == 1000


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def themed(request, qapp):
    wear(qapp, request.param)
    yield request.param
    wear(qapp, LIGHT)


def test_nothing_recorded_yet(qtbot, tmp_path):
    own = OwnSessions(tmp_path / "nowhere", "ann")
    qtbot.addWidget(own, before_close_func=lambda widget: widget.close_threads())
    own.show()
    qtbot.waitUntil(lambda: own._reading is None)
    assert "Nothing recorded yet." in said(own)
    assert not own.actions.delete.isEnabled()
    assert not (tmp_path / "nowhere").exists()


def test_new_recordings_appear_and_the_choice_stays(own, ids, library, qtbot):
    choose(own, 1)
    with Store.open(library) as store:
        new = record(store, Take())
    qtbot.waitUntil(lambda: listed(own) == [new, *ids])
    assert [line.summary.id for line in own.selected()] == [ids[1]]
    with Store.open(library) as store:
        store.delete(ids[1])
    qtbot.waitUntil(lambda: listed(own) == [new, ids[0], ids[2]])
    assert [line.summary.id for line in own.selected()] == [new]


def test_another_persons_sessions(own, qtbot):
    own.set_player("bob")
    qtbot.waitUntil(lambda: len(own.lines) == 1)
    assert own.lines[0].summary.player == "bob"
    own.set_player("nobody")
    qtbot.waitUntil(lambda: "Nothing recorded yet." in said(own))


def test_enter_opens_and_del_asks(own, ids, qtbot):
    choose(own, 0)
    own.view.setFocus()
    with qtbot.waitSignal(own.annotate) as told:
        qtbot.keyClick(own.view, Qt.Key.Key_Return)
    assert told.args == [ids[0]]
    qtbot.keyClick(own.view, Qt.Key.Key_Delete)
    assert own.actions.asking
    assert "Delete this session for good" in said(own)
    qtbot.keyClick(own.actions, Qt.Key.Key_Escape)
    assert not own.actions.asking
    choose(own, 0, 2)
    assert "2 sessions chosen" in said(own)
    assert not own.actions.open.isEnabled()
    qtbot.keyClick(own.view, Qt.Key.Key_Return)  # two cannot be opened at once
    assert listed(own) == ids


def test_another_choice_takes_the_question_back(own):
    choose(own, 0)
    own.actions.delete.click()
    assert own.actions.asking
    choose(own, 1)
    assert not own.actions.asking


def test_deleting(own, ids, library, qtbot):
    choose(own, 0, 1)
    answer(own, qtbot, Deed.DELETE)
    qtbot.waitUntil(lambda: listed(own) == ids[2:])
    assert "Deleted 2 sessions." in said(own)
    with Store.open(library) as store:
        assert [summary.id for summary in store.search(player="ann")] == ids[2:]


def test_sending_writes_one_whole_file_each_and_remembers_when(own, ids, library, tmp_path, qtbot):
    out = tmp_path / "out"
    out.mkdir()
    choose(own, 0)
    answer(own, qtbot, Deed.SEND, out)
    path = out / f"{ids[0]}.playtape"
    assert f"Written: {path}" in said(own)
    qtbot.waitUntil(lambda: cell(own, 0, STATE) == "sent today")
    with Store.open(tmp_path / "other") as other:
        report = import_session(other, path)
        assert (report.created, report.edits_added) == (True, 1)  # labels travel with it
    choose(own, 1, 2)
    answer(own, qtbot, Deed.SEND, out)
    assert f"2 files written into {out}." in said(own)
    assert sorted(p.name for p in out.iterdir()) == sorted(f"{session_id}.playtape" for session_id in ids)
    assert sendings(library).keys() == set(ids)


def test_a_folder_that_is_not_there_is_told(own, tmp_path, qtbot):
    choose(own, 0)
    answer(own, qtbot, Deed.SEND, tmp_path / "missing")
    assert "missing is not a folder; choose one that exists." in said(own)
    assert not (tmp_path / "missing").exists()
    assert cell(own, 0, STATE) == "not sent"


def test_sending_can_be_ended(own, library, tmp_path):
    lines = own.lines
    told: list[float] = []

    class Cancelled:
        def is_set(self) -> bool:
            return len(told) > 12  # the first file is done, the second has begun

    work = session_deeds.work(Deed.SEND, library, lines, tmp_path)
    assert work(told.append, Cancelled()) == f"Ended; one file written into {tmp_path}."
    assert [path.name for path in tmp_path.glob("*.playtape*")] == [f"{lines[0].summary.id}.playtape"]
    assert sendings(library).keys() == {lines[0].summary.id}
    assert told == sorted(told)


def test_progress_says_when_it_will_be_done(own, monkeypatch):
    now_s = 100.0
    monkeypatch.setattr("recorder.ui.own.session_actions.time.monotonic", lambda: now_s)
    own.actions.show_progress("Writing 1 session")
    now_s = 110.0
    own.actions.advance(0.25)
    assert "Writing 1 session  ·  0:30 left, done at " in said(own)
    ended = []
    own.actions.cancelled.connect(lambda: ended.append(True))
    own.actions._cancel.click()
    assert ended == [True]
    assert "Ending…" in said(own)


def test_withdrawing_what_was_sent_writes_a_notice(own, ids, library, tmp_path, qtbot):
    choose(own, 0)
    answer(own, qtbot, Deed.SEND, tmp_path)
    qtbot.waitUntil(lambda: cell(own, 0, STATE) == "sent today")
    with Store.open(tmp_path / "other") as other:
        import_session(other, tmp_path / f"{ids[0]}.playtape")
    answer(own, qtbot, Deed.WITHDRAW, tmp_path)
    assert f"The notice is in {tmp_path}: give it to those who have the session." in said(own)
    qtbot.waitUntil(lambda: cell(own, 0, STATE) == "withdrawn today")
    assert not own.actions.send.isEnabled()
    assert not own.actions.withdraw.isEnabled()
    assert own.actions.delete.isEnabled()
    with Store.open(library) as store:
        assert [summary.id for summary in store.search(player="ann")] == ids[1:]
    with Store.open(tmp_path / "other") as other:
        assert apply_notice(other, tmp_path / f"{ids[0]}.playtape-withdrawal").removed
        with pytest.raises(Withdrawn):
            import_session(other, tmp_path / f"{ids[0]}.playtape")


def test_withdrawing_what_was_never_sent_needs_no_notice(own, ids, library, tmp_path, qtbot):
    choose(own, 1)
    own.actions.withdraw.click()
    assert "It was not sent from here, so nobody needs to be told." in said(own)
    assert not own.actions.folder.isVisibleTo(own)
    own.actions.no.click()
    answer(own, qtbot, Deed.WITHDRAW)
    assert "Withdrawn." in said(own)
    assert not list(tmp_path.rglob("*.playtape-withdrawal"))
    with Store.open(library) as store:
        assert find_withdrawal(store, ids[1]) is not None


def test_deleting_what_was_sent_warns(own, tmp_path, qtbot):
    choose(own, 0)
    answer(own, qtbot, Deed.SEND, tmp_path)
    qtbot.waitUntil(lambda: cell(own, 0, STATE) == "sent today")
    own.actions.delete.click()
    assert "Those whom it was sent to keep it: withdraw it first if they should not." in said(own)


def test_a_damaged_library_is_told(own, library, qtbot):
    own.hide()
    for path in library.glob("index.sqlite*"):
        path.write_bytes(b"junk" * 1000)
    own.show()
    qtbot.waitUntil(lambda: "playtape-db rebuild" in said(own))
    assert len(own.lines) == 3  # what was read before stays


def test_closing_in_the_middle(qtbot, library):
    own = OwnSessions(library, "ann")
    qtbot.addWidget(own)
    own.show()
    own.close_threads()
