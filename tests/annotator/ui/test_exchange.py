"""Import and export from the library's window: what is recognised, tried, carried, cancelled, refused and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLabel

from annotator.ui.library.import_dialog import ImportDialog
from annotator.ui.library.library_window import LibraryWindow
from annotator.ui.library.transfer_dialog import TransferDialog
from db.formats.format import Asked
from db.formats.interchange import export_session, import_session
from db.formats.registry import FORMATS
from db.formats.transfer import write_out
from db.labelling.labels import LabelKind, conflicts, spans
from db.store import Store

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton
PATIENCE_MS = 60_000


@pytest.fixture
def window(store, qtbot) -> LibraryWindow:
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitUntil(lambda: opened.count.text() != "")
    yield opened
    opened.close()


@pytest.fixture
def made(make_session, tmp_path):
    """made(format, sessions=2, count=30) -> a folder of sessions of another library in that format."""

    def make(name: str, sessions: int = 2, count: int = 30) -> Path:
        with Store.open(tmp_path / "elsewhere") as other:
            ids = [make_session(other, count=count) for _ in range(sessions)]
            reports = list(write_out(other, FORMATS[name], ids, tmp_path / "out", Asked()))
            assert [report.outcome for report in reports] == ["written"] * sessions
        return tmp_path / "out"

    return make


def ask_to_import(window: LibraryWindow, paths: list[Path], qtbot) -> ImportDialog:
    """The dialog, opened by its key, with paths that have been looked at."""
    QTest.keyClick(window, Qt.Key.Key_O, CTRL)
    dialog = window.exchange.importing
    dialog.add(paths)
    qtbot.waitUntil(lambda: dialog._looking is None)
    return dialog


def carry(dialog: TransferDialog, button, qtbot) -> str:
    """Presses a button and waits for the end; what is told then."""
    QTest.mouseClick(button, LEFT)
    assert dialog.is_busy
    qtbot.waitUntil(lambda: not dialog.is_busy, timeout=PATIENCE_MS)
    return dialog.state.text()


def lines(dialog: TransferDialog) -> dict[str, str]:
    """All rows of the report: text -> figure."""
    found: dict[str, str] = {}

    def read(item) -> None:
        found[item.text(0)] = item.text(1)
        for number in range(item.childCount()):
            read(item.child(number))

    for number in range(dialog.report.tree.topLevelItemCount()):
        read(dialog.report.tree.topLevelItem(number))
    return found


def everything(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def is_importing(store: Store) -> bool:
    return any("importing-" in name for name in everything(store.sessions_dir))


@pytest.mark.parametrize("name", ["open-p2p", "lerobot"])
def test_a_folder_is_recognised_tried_imported_and_known_the_next_time(
    name, window, store, made, tmp_path, qtbot
) -> None:
    dialog = ask_to_import(window, [made(name)], qtbot)
    assert dialog.form.chosen.name == name
    assert "Recognised by" in dialog.form.note.text()
    assert carry(dialog, dialog.attempt, qtbot) == "2 new sessions would be imported."
    assert everything(store.sessions_dir) == []
    assert lines(dialog)["Recordings"] == "2"
    assert int(lines(dialog)["frames"]) > 0
    assert carry(dialog, dialog.go, qtbot) == "2 new sessions imported."
    ids = {summary.id for summary in store.search()}
    assert set(everything(store.sessions_dir)) == ids
    assert len(ids) == 2
    qtbot.waitUntil(lambda: set(window.sessions.model.ids) == ids)
    assert carry(dialog, dialog.go, qtbot) == "2 sessions were here already."
    QTest.mouseClick(dialog.report.copy_button, LEFT)
    assert QGuiApplication.clipboard().text().startswith("2 sessions were here already.\n\nRecordings\t2\n")
    dialog.report.save_to(tmp_path / "report.json")
    said = json.loads((tmp_path / "report.json").read_text())
    assert (said["format"], said["outcomes"], len(said["of"])) == (name, {"known": 2}, 2)


def test_a_cancelled_import_keeps_what_is_whole_shows_nothing_half_and_goes_on(window, store, made, qtbot) -> None:
    dialog = ask_to_import(window, [made("open-p2p", sessions=3, count=600)], qtbot)
    QTest.mouseClick(dialog.go, LEFT)
    qtbot.waitUntil(lambda: "imported" in dialog.state.text() and is_importing(store), timeout=PATIENCE_MS)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.is_busy, timeout=PATIENCE_MS)
    assert dialog.isVisible()
    assert "Cancelled; what was finished stays" in dialog.state.text()
    whole = [summary.id for summary in store.search()]
    assert 1 <= len(whole) < 3
    assert set(everything(store.sessions_dir)) == set(whole)
    carry(dialog, dialog.go, qtbot)
    assert len(store.search()) == 3
    known, fresh = len(whole), 3 - len(whole)
    assert f"{fresh} new session{'s' * (fresh > 1)} imported." in dialog.state.text()
    assert f"{known} session{'s were' if known > 1 else ' was'} here already." in dialog.state.text()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.exchange.importing is None


def test_a_window_that_is_closed_twice_ends_an_import_and_leaves_nothing_half(window, store, made, qtbot) -> None:
    dialog = ask_to_import(window, [made("open-p2p", sessions=2, count=600)], qtbot)
    QTest.mouseClick(dialog.go, LEFT)
    qtbot.waitUntil(lambda: is_importing(store), timeout=PATIENCE_MS)
    assert not window.close()
    assert "Close the window again" in window.info.text
    assert "Close the window again" in dialog.state.text()
    assert dialog.is_busy
    assert window.close()
    assert set(everything(store.sessions_dir)) == {summary.id for summary in store.search()}


def test_a_broken_source_is_told_by_itself_and_the_rest_goes_on(window, store, made, qtbot) -> None:
    folder = made("open-p2p")
    broken = folder / "0-broken"
    broken.mkdir()
    (broken / "annotation.proto").write_bytes(b"\xff" * 100)
    (broken / "192x192.mp4").write_bytes(b"no video")
    dialog = ask_to_import(window, [folder, folder.parent / "gone"], qtbot)
    assert carry(dialog, dialog.go, qtbot) == "2 new sessions imported. 2 recordings could not be imported."
    told = [text for text in lines(dialog) if text.endswith(".")]
    assert any(str(broken) in text for text in told)
    assert any("there is no such file or folder" in text for text in told)
    assert lines(dialog)["Refused"] == "2"
    assert lines(dialog)[f"0-broken in {folder}"] == "refused"


def test_videos_need_a_game_and_get_the_one_that_is_typed(window, store, make_session, tmp_path, qtbot) -> None:
    with Store.open(tmp_path / "elsewhere") as other:
        film = other.recording(make_session(other, count=30)).folder / "video-000.mkv"
        (tmp_path / "film.mkv").write_bytes(film.read_bytes())
    dialog = ask_to_import(window, [tmp_path / "film.mkv"], qtbot)
    assert dialog.form.chosen.name == "video"
    assert not dialog.go.isEnabled()
    assert "needed" in dialog.game.placeholderText()
    dialog.game.setFocus()
    QTest.keyClicks(dialog.game, "Maze")
    QTest.keyClick(dialog.game, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.state.text() == "1 new session imported.")
    assert [(summary.game, summary.player) for summary in store.search()] == [("Maze", "unknown")]


def test_formats_that_are_mixed_are_left_to_the_person(window, tmp_path, qtbot) -> None:
    (tmp_path / "a.playtape").touch()
    (tmp_path / "b.mcap").touch()
    dialog = ask_to_import(window, [tmp_path / "a.playtape", tmp_path / "b.mcap"], qtbot)
    assert dialog.form.chosen is None
    assert "owamcap and playtape" in dialog.form.note.text()
    assert not dialog.go.isEnabled()
    dialog.paths.setCurrentRow(1)
    QTest.keyClick(dialog.paths, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: dialog.form.chosen is not None and dialog.form.chosen.name == "playtape")
    assert dialog.chosen == [tmp_path / "a.playtape"]


def test_a_formats_own_options_are_fields_and_their_errors_are_told(
    window, store, made, make_session, tmp_path, qtbot
) -> None:
    make_session(store)
    qtbot.waitUntil(lambda: window.sessions.model.rowCount() == 1)
    QTest.keyClick(window, Qt.Key.Key_E, CTRL | SHIFT)
    dialog = window.exchange.exporting
    for kind in FORMATS.values():
        if kind.writes:
            dialog.form.choose(kind.name)
            assert list(dialog.form.fields) == list(kind.options_for("out"))
            assert dialog.form.options() == {}
    dialog.form.choose("webdataset")
    dialog.out.setText(str(tmp_path / "shards"))
    dialog.form.fields["sample"].setCurrentText("frame")
    dialog.form.fields["rate"].setText("fast")
    assert dialog.form.options() == {"sample": "frame", "rate": "fast"}
    assert "should be a whole number" in carry(dialog, dialog.attempt, qtbot)
    dialog.form.fields["rate"].setText("10")
    assert carry(dialog, dialog.attempt, qtbot) == "1 session would be written."
    assert not (tmp_path / "shards").exists()
    assert "Maze, ann" in next(text for text, figure in lines(dialog).items() if figure == "would be written")


def test_the_selected_sessions_are_exported_or_all_that_the_list_shows(
    window, store, make_session, tmp_path, qtbot
) -> None:
    ids = [make_session(store, count=30) for _ in range(3)]
    make_session(store, count=30, game="Arena")
    qtbot.waitUntil(lambda: window.sessions.model.rowCount() == 4)
    window.sessions.filter.setText("Maze")
    qtbot.waitUntil(lambda: window.sessions.model.rowCount() == 3)
    window.sessions.show_current(ids[2])
    QTest.keyClick(window.sessions.view, Qt.Key.Key_Down, SHIFT)
    window.actions_by_name["export"].trigger()
    dialog = window.exchange.exporting
    assert dialog.only_selected.isChecked()
    dialog.form.choose("frames")
    out = tmp_path / "out"
    dialog.out.setText(str(out))
    assert carry(dialog, dialog.go, qtbot) == "2 sessions written."
    assert set(everything(out)) == set(ids[1:])
    QTest.mouseClick(dialog.all, LEFT, pos=QPoint(8, dialog.all.height() // 2))
    assert carry(dialog, dialog.go, qtbot) == "1 session written. 2 sessions were there already, unchanged."
    assert set(everything(out)) == set(ids)
    dialog.reject()
    assert window.exchange.exporting is None
    window.actions_by_name["export"].trigger()
    assert window.exchange.exporting.form.chosen.name == "frames"
    assert window.exchange.exporting.out.text() == str(out)


@pytest.mark.parametrize("width", [480, 760, 1300])
def test_no_words_about_a_format_are_cut_off(window, make_session, store, qtbot, width) -> None:
    make_session(store)
    window.sessions.refresh()
    qtbot.waitUntil(lambda: len(window.sessions.model.ids) == 1)
    QTest.keyClick(window, Qt.Key.Key_E, CTRL | SHIFT)
    dialog = window.exchange.exporting
    dialog.resize(width, 900)

    def is_whole() -> bool:
        shown = [label for label in dialog.form.findChildren(QLabel) if label.isVisible() and label.wordWrap()]
        return all(label.height() >= label.heightForWidth(label.width()) for label in shown)

    for name in ("webdataset", "lerobot", "open-p2p", "vpt", "lerobot", "webdataset"):
        dialog.form.choose(name)
        assert dialog.form.note.isVisible() == FORMATS[name].is_one
        qtbot.waitUntil(is_whole)


def test_a_cancelled_export_keeps_what_is_whole(window, store, make_session, tmp_path, qtbot) -> None:
    ids = [make_session(store, count=900) for _ in range(2)]
    qtbot.waitUntil(lambda: window.sessions.model.rowCount() == 2)
    window.actions_by_name["export"].trigger()
    dialog = window.exchange.exporting
    dialog.all.setChecked(True)
    dialog.form.choose("open-p2p")
    out = tmp_path / "out"
    dialog.out.setText(str(out))
    QTest.mouseClick(dialog.go, LEFT)
    qtbot.waitUntil(lambda: out.is_dir() and any(name.startswith(".") for name in everything(out)), timeout=PATIENCE_MS)
    QTest.mouseClick(dialog.stop, LEFT)
    qtbot.waitUntil(lambda: not dialog.is_busy, timeout=PATIENCE_MS)
    assert "Cancelled" in dialog.state.text()
    assert len(everything(out)) < 2
    assert not any(name.startswith(".") for name in everything(out))
    carry(dialog, dialog.go, qtbot)
    assert set(everything(out)) == set(ids)


def test_what_is_in_the_trash_is_not_exported(window, store, make_session, qtbot) -> None:
    window.actions_by_name["export"].trigger()
    assert window.exchange.exporting is None
    assert "no session in the list" in window.info.text
    store.trash(make_session(store, count=30))
    window.info.hide()
    window.go("trash")
    qtbot.waitUntil(lambda: window.sessions.model.rowCount() == 1)
    window.actions_by_name["export"].trigger()
    assert window.exchange.exporting is None
    assert window.info.isVisible()


def test_what_is_dropped_on_the_window_is_to_be_imported(window, made, qtbot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(made("open-p2p")))])
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, drop)
    dialog = window.exchange.importing
    qtbot.waitUntil(lambda: dialog._looking is None)
    assert dialog.form.chosen.name == "open-p2p"
    text = QMimeData()
    text.setText("https://example.org")
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, text, LEFT, Qt.KeyboardModifier.NoModifier)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


def test_annotations_from_elsewhere_are_merged_and_conflicts_offered(
    window, store, make_session, tmp_path, qtbot
) -> None:
    session_id = make_session(store, count=60, labels=[("instruction", 20, 50, "walk on"), ("flag", 0, 5, "menu")])
    sent = export_session(store, session_id, tmp_path)
    span, flag = spans(store.edits(session_id), LabelKind.INSTRUCTION) + spans(store.edits(session_id), LabelKind.FLAG)
    store.commit([span.revised("ann", value="run on")])
    with Store.open(tmp_path / "elsewhere") as elsewhere:
        import_session(elsewhere, sent)
        elsewhere.commit([span.revised("bob", value="crawl on"), flag.revised("bob", value="loading")])
        back = export_session(elsewhere, session_id, tmp_path / "back.playtape")
    (tmp_path / "junk.playtape").write_bytes(b"junk")
    dialog = ask_to_import(window, [back, tmp_path / "junk.playtape"], qtbot)
    told = carry(dialog, dialog.go, qtbot)
    assert "2 edits merged into 1 session that was here already." in told
    assert "1 label was changed on both sides" in told
    assert "1 recording could not be imported" in told
    qtbot.waitUntil(lambda: "⚠ 1 conflict" in window.sessions.model.marks_of(session_id))
    QTest.mouseClick(dialog.conflicts, LEFT)
    qtbot.waitUntil(lambda: window.annotator is not None and window.annotator.together.dialog is not None)
    settling = window.annotator.together.dialog
    assert (settling.mine.text.text(), settling.theirs.text.text()) == ("run on", "crawl on")
    QTest.mouseClick(next(iter(settling.buttons.values())), LEFT)
    qtbot.waitUntil(lambda: window.annotator.together.dialog is None)
    assert conflicts(store.edits(session_id)) == {}
    assert [s.value for s in spans(store.edits(session_id))] == ["loading", "crawl on"]
    qtbot.waitUntil(lambda: "conflict" not in window.sessions.model.marks_of(session_id))
    assert "Nothing new in 1 session that was here already." in carry(dialog, dialog.go, qtbot)
