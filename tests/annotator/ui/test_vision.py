"""A vision model in the window: off at first, asked only after a person agreed, its words landing as suggestions."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.model.edits.narratives import narratives
from annotator.model.edits.suggesting import Suggest
from annotator.model.proposals import Proposal
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.vision_choice import is_allowed, read_setup, write_setup
from annotator.ui.annotate.vision_consent import VisionConsent, facts, headline
from annotator.ui.annotate.vision_setup_dialog import VisionSetupDialog
from annotator.vision.asking import Outlook
from annotator.vision.setup import VisionSetup
from db.labelling.labels import LabelKind
from visionserver import Handler, StandIn, serve, times_of

Key, Mod = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def stand_in():
    with serve() as served:
        yield served


@pytest.fixture
def session_ids(store, make_session) -> list[str]:
    return [make_session(store, count=300), make_session(store, count=60, game="Arena")]


@pytest.fixture
def window(store, session_ids, qtbot) -> AnnotateWindow:
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_ids[0])
    qtbot.waitUntil(lambda: opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


def choose(stand_in: StandIn, **more: Any) -> VisionSetup:
    chosen = {"kind": "endpoint", "base_url": stand_in.base_url, "model": "watcher", "window": 4, "overlap": 1, **more}
    setup = VisionSetup.model_validate(chosen)
    write_setup(setup)
    return setup


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key, modifiers)


def consent(window: AnnotateWindow, qtbot) -> VisionConsent:
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(VisionConsent)))
    return next(d for d in window.findChildren(VisionConsent) if d.isVisible())


def suggested(window: AnnotateWindow) -> list[str]:
    return [span.value for span in window.editing.document.spans(LabelKind.INSTRUCTION, suggested=True)]


def agree(window: AnnotateWindow, qtbot) -> None:
    """Presses Send; without a window manager nobody gives the focus back to the window."""
    consent(window, qtbot).send.click()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.timeline.setFocus()


def ask(window: AnnotateWindow, qtbot) -> None:
    press(window, Key.Key_I, Mod.ControlModifier)
    with qtbot.waitSignal(window.vision.asker.ended):
        agree(window, qtbot)


def test_it_is_off_and_asking_opens_the_set_up(window, qtbot) -> None:
    assert read_setup().kind == "off"
    press(window, Key.Key_I, Mod.ControlModifier)
    dialog = window.findChild(VisionSetupDialog)
    assert dialog is not None
    assert dialog.kind.currentData() == "off"
    dialog.reject()


def test_nothing_is_sent_before_a_person_agrees(window, qtbot, stand_in, store) -> None:
    setup = choose(stand_in)
    press(window, Key.Key_I, Mod.ControlModifier)
    dialog = consent(window, qtbot)
    assert stand_in.asked == []
    assert stand_in.base_url.removesuffix("/v1") in dialog.lead.text()
    QTest.keyClick(dialog, Key.Key_Return)  # the usual answer sends nothing
    qtbot.waitUntil(lambda: not window.vision.asker.is_busy)
    assert stand_in.asked == []
    assert not is_allowed(setup, store.root)


def test_what_it_says_lands_as_suggestions_of_one_step(window, qtbot, stand_in) -> None:
    choose(stand_in)
    ask(window, qtbot)
    assert suggested(window) == ["walk on from second 0", "walk on from second 3", "walk on from second 6"]
    assert {span.source for span in window.editing.document.spans(suggested=True)} == {"run:vision-watcher"}
    assert "3 instructions suggested" in window.info.text
    assert "It is second 0." in window.suggestion_bar.narrative.text()
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert suggested(window) == []
    assert narratives(window.editing.document) == []
    press(window, Key.Key_Y, Mod.ControlModifier)
    press(window, Key.Key_C)
    press(window, Key.Key_C)
    assert len(suggested(window)) == 1
    press(window, Key.Key_C, Mod.ControlModifier | Mod.ShiftModifier)
    assert suggested(window) == []
    assert len(window.editing.document.spans(LabelKind.INSTRUCTION, suggested=False)) == 3


def test_the_narrative_goes_below_what_a_person_wrote(window, qtbot, stand_in) -> None:
    choose(stand_in)
    session_id = window.editing.session_id
    window.editing.write_note(session_id, "my own words")
    ask(window, qtbot)
    assert window.editing.document.note(session_id) == "my own words"
    press(window, Key.Key_M, Mod.ControlModifier | Mod.ShiftModifier)
    assert window.editing.document.note(session_id).startswith("my own words\n\nIt is second 0.")
    assert window.panel.note.toPlainText().startswith("my own words")
    assert narratives(window.editing.document) == []
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert window.editing.document.note(session_id) == "my own words"
    window.vision.drop_narrative()
    assert narratives(window.editing.document) == []
    ask(window, qtbot)
    assert narratives(window.editing.document) == [], "a narrative that was dropped comes back"


def test_a_place_that_was_allowed_is_not_asked_about_again(window, qtbot, stand_in, store) -> None:
    setup = choose(stand_in)
    press(window, Key.Key_I, Mod.ControlModifier)
    dialog = consent(window, qtbot)
    dialog.remember.setChecked(True)
    with qtbot.waitSignal(window.vision.asker.ended):
        agree(window, qtbot)
    assert is_allowed(setup, store.root)
    assert not is_allowed(setup, store.root.parent)
    elsewhere = setup.model_copy(update={"base_url": "https://models.example/v1"})
    assert not is_allowed(elsewhere, store.root)
    press(window, Key.Key_X, Mod.ControlModifier | Mod.ShiftModifier)
    with qtbot.waitSignal(window.vision.asker.ended):
        press(window, Key.Key_I, Mod.ControlModifier)
    assert window.info.text == "Nothing new was said."


def test_it_is_stopped_by_key_and_by_another_session(window, qtbot, session_ids) -> None:
    asked = threading.Event()

    def hang(handler: Handler, body: dict[str, Any]) -> None:
        asked.set()
        handler.stand_in.released.wait(30)

    with serve(hang) as stand_in:
        choose(stand_in)
        for stop in (
            lambda: press(window, Key.Key_Period, Mod.ControlModifier),
            lambda: window.open_session(session_ids[1]),
        ):
            asked.clear()
            press(window, Key.Key_I, Mod.ControlModifier)
            agree(window, qtbot)
            qtbot.waitUntil(asked.is_set)
            assert window.suggestion_bar.asking.isVisible()
            stop()
            qtbot.waitUntil(lambda: not window.vision.asker.is_busy)
            qtbot.waitUntil(lambda: not window.suggestion_bar.asking.isVisible())
        assert suggested(window) == []


def test_a_failure_is_one_sentence(window, qtbot) -> None:
    with serve(lambda handler, body: handler.give(b"", 401)) as stand_in:
        choose(stand_in)
        press(window, Key.Key_I, Mod.ControlModifier)
        with qtbot.waitSignal(window.vision.asker.failed):
            consent(window, qtbot).send.click()
        assert "key" in window.info.text
        assert not window.suggestion_bar.asking.isVisible()


def test_suggestions_are_gone_through_by_source(window, qtbot, stand_in) -> None:
    choose(stand_in)
    ask(window, qtbot)
    window.editing.do(Suggest([Proposal(LabelKind.FLAG, "idle", 10, 40)]))
    bar = window.suggestion_bar
    assert bar.sources.isVisible()
    assert [bar.sources.itemText(i) for i in range(bar.sources.count())] == ["All (4)", "Rules (1)", "watcher (3)"]
    press(window, Key.Key_V, Mod.ShiftModifier)
    assert window.editing.suggesting.source == "run:rules-1"
    assert "1 suggestion " in bar.count.text()
    press(window, Key.Key_X, Mod.ControlModifier | Mod.ShiftModifier)
    assert len(suggested(window)) == 3, "another source's suggestions were rejected"
    press(window, Key.Key_V)
    assert window.editing.suggesting.source == ""
    assert window.editing.selected_span.kind is LabelKind.INSTRUCTION


def test_angle_brackets_never_make_rich_text(window, qtbot) -> None:
    def lie(handler: Handler, body: dict[str, Any]) -> None:
        first, last = times_of(body)
        said = {"start_s": first, "end_s": last, "text": "<img src='file:///etc/passwd'> go"}
        handler.say(json.dumps({"instructions": [said], "narrative": "<b>bold</b> words"}))

    with serve(lie) as stand_in:
        choose(stand_in)
        ask(window, qtbot)
    assert all("<" not in text for text in suggested(window))
    assert window.suggestion_bar.narrative.textFormat() is Qt.TextFormat.PlainText


def test_the_set_up_is_saved_and_never_holds_the_key(window, qtbot, stand_in, monkeypatch) -> None:
    monkeypatch.setenv("VISION_KEY", "s3cret")
    window.actions_by_name["set_up_vision"].trigger()
    dialog = window.findChild(VisionSetupDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("endpoint"))
    dialog.accept()
    assert dialog.isVisible(), "a set-up without an address was saved"
    assert "address" in dialog.answer.text()
    dialog.base_url.setText("http://models.example/v1")
    dialog.model.setText("watcher")
    dialog.key_variable.setText("VISION_KEY")
    dialog.accept()
    assert "on the way" in dialog.answer.text()
    dialog.base_url.setText(stand_in.base_url)
    dialog.try_out()
    qtbot.waitUntil(lambda: "It works" in dialog.answer.text())
    assert stand_in.headers[0]["authorization"] == "Bearer s3cret"
    dialog.prompt.setPlainText("Say it short.")
    dialog.accept()
    setup = read_setup()
    assert (setup.kind, setup.model, setup.prompt) == ("endpoint", "watcher", "Say it short.")
    assert "s3cret" not in setup.model_dump_json()


def test_the_test_button_tells_a_failure(window, qtbot) -> None:
    with serve(lambda handler, body: handler.give(b"", 404)) as stand_in:
        dialog = VisionSetupDialog(window.store.root, choose(stand_in), window)
        dialog.show()
        dialog.try_out()
        qtbot.waitUntil(lambda: "no such model" in dialog.answer.text())
        dialog.close()


def test_the_question_says_what_goes_where() -> None:
    outlook = Outlook("s", 3, 72, 2_500_000, 90)
    far = VisionSetup(kind="endpoint", base_url="https://models.example/v1", model="seer", with_keys=False)
    text = "\n".join([headline(far), *facts(far, [outlook])])
    for words in ("leave this machine", "https://models.example", "72 pictures", "2.5 MB", "3 requests", "no keys", "private",
                  "90 frames", "costs"):  # fmt: skip
        assert words in text
    given = Outlook("s", 3, 72, 2_500_000, 90, "bob", "private")
    assert "Recorded by bob, whose terms are: Private" in "\n".join(facts(far, [given]))
    near = VisionSetup(kind="endpoint", base_url="http://localhost:8000/v1", model="seer")
    assert "on this machine" in headline(near)
    program = VisionSetup(kind="command", command="watch --fast")
    assert "on this machine" in headline(program)
    assert "watch --fast" in "\n".join(facts(program, [outlook]))
    plain = far.model_copy(update={"base_url": "http://models.example/v1", "allow_plain": True})
    assert "not encrypted" in "\n".join(facts(plain, [outlook]))
