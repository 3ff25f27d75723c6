"""Unfinished text outlives the program: killed in the middle of typing, it stands in its field again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtTest import QTest

from annotator.ui.annotate import drafts
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.drafts import NOTE_RESTORED, RESTORED
from db.errors import DiskFull
from db.labelling.drafts import Draft, DraftFile, draft_folder
from db.labelling.labels import LabelKind
from labelling import Key, go, open_window, press, stored

TYPE_UNTIL_KILLED = """
import sys
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
from annotator.ui.annotate import drafts
from annotator.ui.annotate.annotate_window import AnnotateWindow
from db.labelling.labels import LabelKind
from db.store import Store

drafts.EVERY_MS = 20
app = QApplication([])
store = Store.open(sys.argv[1], create=False)
window = AnnotateWindow(store, "ann")
window.show()
window.activateWindow()
window.open_session(sys.argv[2])
while window.editing is None or window.picture.index < 0:
    QTest.qWait(5)
window.editing.player.pause()
field = window.timeline.editor
if sys.argv[3] == "span":
    window.editing.create(LabelKind.INSTRUCTION, 10, 40, "before")
    window.timeline.edit_text(window.editing.selection)
elif sys.argv[3] == "comment":
    window.timeline.ask_comment(10, 40)
else:
    field = window.panel.note
    field.setFocus()
for number in range(100_000):
    QTest.keyClicks(field, f"word{number} ")
    QTest.qWait(5)
"""


@pytest.fixture
def session_id(store, make_session) -> str:
    return make_session(store, count=60)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "EVERY_MS", 20)


def files(store, session_id: str) -> list[Path]:
    return sorted(draft_folder(store.root, "ann", session_id).glob("*.json"))


def texts(store, session_id: str) -> list[str]:
    """What is kept; nothing in the instant in which a file is replaced."""
    try:
        return [draft["text"] for path in files(store, session_id) for draft in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return []


def killed_typing(store, session_id: str, field: str, qtbot) -> str:
    """What was kept for sure when a real process was killed in the middle of typing."""
    command = [sys.executable, "-c", TYPE_UNTIL_KILLED, str(store.root), session_id, field]
    with subprocess.Popen(command) as process:
        qtbot.waitUntil(lambda: any("word7 " in text for text in texts(store, session_id)), timeout=30_000)
        (kept,) = texts(store, session_id)
        process.kill()
    return kept


@pytest.mark.parametrize("field", ["span", "comment", "note"])
def test_killed_in_the_middle_of_typing(store, session_id, qtbot, field) -> None:
    kept = killed_typing(store, session_id, field, qtbot)
    window = open_window(store, session_id, qtbot)
    qtbot.waitUntil(lambda: window.info.text == (NOTE_RESTORED if field == "note" else RESTORED))
    editor, note = window.timeline.editor, window.panel.note
    text = note.toPlainText() if field == "note" else editor.text()
    assert text.startswith(kept)
    if field == "note":
        window.panel.save()
        assert window.editing.document.note(session_id) == text.strip()
    else:
        assert editor.hasFocus()
        press(window, Key.Key_Return)
        kind = LabelKind.INSTRUCTION if field == "span" else LabelKind.COMMENT
        assert stored(window, kind) == [(10, 40, text.strip())]
    qtbot.waitUntil(lambda: files(store, session_id) == [])
    window.close()
    assert not draft_folder(store.root, "ann", session_id).exists()


def write(window: AnnotateWindow, qtbot, text: str) -> str:
    go(window, 5, qtbot)
    press(window, Key.Key_N)
    QTest.keyClicks(window.timeline.editor, text)
    return window.timeline.editor.entity_id


def test_a_draft_is_kept_while_one_types_and_goes_when_it_is_committed(store, session_id, qtbot) -> None:
    window = open_window(store, session_id, qtbot)
    write(window, qtbot, "half a sen")
    qtbot.waitUntil(lambda: texts(store, session_id) == ["half a sen"])
    (path,) = files(store, session_id)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    press(window, Key.Key_Return)
    qtbot.waitUntil(lambda: files(store, session_id) == [])


def test_a_draft_goes_when_it_is_given_up(store, session_id, qtbot) -> None:
    window = open_window(store, session_id, qtbot)
    write(window, qtbot, "never mind")
    qtbot.waitUntil(lambda: texts(store, session_id) == ["never mind"])
    press(window, Key.Key_Escape)
    qtbot.waitUntil(lambda: files(store, session_id) == [])


def test_another_window_leaves_alone_what_is_being_typed_in_the_first(store, session_id, qtbot) -> None:
    window = open_window(store, session_id, qtbot)
    write(window, qtbot, "mine")
    qtbot.waitUntil(lambda: texts(store, session_id) == ["mine"])
    file = DraftFile(store.root, "ann", session_id)
    assert file.take_over() == []
    file.close()
    assert texts(store, session_id) == ["mine"]


def test_text_that_was_committed_after_all_is_not_restored(store, session_id, qtbot) -> None:
    window = open_window(store, session_id, qtbot)
    entity_id = write(window, qtbot, "done")
    press(window, Key.Key_Return)
    window.close()
    file = DraftFile(store.root, "ann", session_id)
    file.write([Draft(field="span", target_id=entity_id, text="done ")])
    file.close(keep=True)
    again = open_window(store, session_id, qtbot)
    qtbot.waitUntil(lambda: files(store, session_id) == [])
    assert not again.timeline.editor.is_open
    assert not again.info.isVisible()


def test_text_for_a_label_that_is_gone_is_shown(store, session_id, qtbot) -> None:
    file = DraftFile(store.root, "ann", session_id)
    file.write([Draft(field="span", target_id="0" * 36, text="orphaned words")])
    file.close(keep=True)
    window = open_window(store, session_id, qtbot)
    qtbot.waitUntil(lambda: "orphaned words" in window.info.text)
    assert not window.timeline.editor.is_open


def test_text_that_could_not_be_stored_is_there_when_the_session_is_opened_again(
    store, session_id, qtbot, monkeypatch
) -> None:
    window = open_window(store, session_id, qtbot)
    write(window, qtbot, "no room for it")

    def refuse(edits):
        raise DiskFull("There is no room left.")

    monkeypatch.setattr(window.editing.document._log, "commit", refuse)
    window.close()
    again = open_window(store, session_id, qtbot)
    qtbot.waitUntil(lambda: again.info.text == RESTORED)
    assert again.timeline.editor.text() == "no room for it"


def test_a_full_disk_is_told_once_and_typing_goes_on(store, session_id, qtbot, monkeypatch) -> None:
    def refuse(self, listed):
        raise DiskFull("There is no room left.")

    window = open_window(store, session_id, qtbot)
    monkeypatch.setattr(DraftFile, "write", refuse)
    write(window, qtbot, "go")
    qtbot.waitUntil(lambda: "is not kept meanwhile" in window.info.text)
    press(window, Key.Key_Return)
    assert stored(window)[0][2] == "go"
