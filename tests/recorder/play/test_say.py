"""Instructions while it plays: by key, by `playtape-play say`, and through the socket of the overlay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.errors import BadArgument, BadFile, NotFound, WireError
from db.labelling.labels import LabelKind, spans
from db.recording.events import EventKind, Origin
from db.recording.keys import CODES
from db.settings import LibrarySettings, VocabularyEntry, write_settings
from db.store import Store
from db.wire import connect, read_key
from recorder.play.__main__ import main
from recorder.play.instructions import Instructions, checked
from recorder.play.ownkeys import SAY_NOTHING, choose_words, digit_key
from recorder.play.remote import Remote, ask, find_play, join

CTRL, ALT, ONE, F5, F12 = (CODES[f"KEY_{name}"] for name in ("LEFTCTRL", "LEFTALT", "1", "F5", "F12"))


def told_texts(rows):
    return [row["text"] for row in rows if row["kind"] == "instruction"]


def tap(injector, *codes):
    for code in codes:
        injector.set(code, True)
    for code in reversed(codes):
        injector.set(code, False)
    injector._connection.sync()


def test_keys_and_say_change_the_instruction_and_it_is_stored(
    play, game, injector, tmp_path, told_server, wait_for, monkeypatch, capsys
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    command = play("--instruction", "go home", "--hotkey", "1=shoot them", "--hotkey", "F5=run", "--duration", "60")
    session_id = command.started()["session"]
    wait_for(lambda: told_texts(told_server()) == ["go home"])
    tap(injector, CTRL, ALT, ONE)
    wait_for(lambda: told_texts(told_server())[1:] == ["shoot them"])
    tap(injector, F5)
    wait_for(lambda: told_texts(told_server())[2:] == ["run"])
    assert main(["say", "  collect   the medkits "]) == 0
    assert "collect the medkits" in capsys.readouterr().out
    wait_for(lambda: told_texts(told_server())[3:] == ["collect the medkits"])
    wait_for(lambda: len([row for row in told_server() if row["kind"] == "frame"]) > 40)
    tap(injector, F12)
    told = command.finished()
    assert told["take_overs"] == 0
    with Store.open(tmp_path / "library") as store:
        found = spans(store.edits(session_id), LabelKind.INSTRUCTION)
        recording = store.recording(session_id)
        assert store.verify(session_id) == []
    assert [edit.value for edit in found] == ["go home", "shoot them", "run", "collect the medkits"]
    assert [edit.start for edit in found][1:] == [edit.stop for edit in found][:-1]
    assert found[-1].stop == len(recording.clock)
    assert {(edit.source, edit.author, edit.suggested) for edit in found} == {("play", "ann", False)}
    # The frame of a change is the first one that the model saw with it.
    frames = {row["t_ns"] for row in told_server() if row["kind"] == "frame"}
    assert {int(recording.clock.t_ns[edit.start]) for edit in found} <= frames
    keys = recording.events[(recording.events["kind"] == EventKind.KEY) & (recording.events["origin"] == Origin.DEVICE)]
    assert not {CTRL, ALT, ONE, F5, F12} & set(keys["code"].tolist())


def test_a_killed_play_keeps_what_it_was_told(play, tmp_path, told_server, wait_for):
    command = play("--instruction", "go home", "--duration", "60")
    session_id = command.started()["session"]
    wait_for(lambda: len([row for row in told_server() if row["kind"] == "frame"]) > 30)
    command.close()
    with Store.open(tmp_path / "library") as store:
        store.recover()
        (found,) = spans(store.edits(session_id), LabelKind.INSTRUCTION)
        assert (found.value, found.source, found.stop) == ("go home", "play", len(store.recording(session_id).clock))


def test_say_without_a_play_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["say", "go"]) == 1
    assert "No play is running" in capsys.readouterr().err
    (tmp_path / "playtape" / "plays").mkdir(parents=True)
    (tmp_path / "playtape" / "plays" / "7.json").write_text(json.dumps({"address": "/nowhere", "key_file": "/no"}))
    assert main(["say", "go"]) == 1
    assert "No play is running" in capsys.readouterr().err


@pytest.fixture
def remote(told, tmp_path):
    made = Remote(told, tmp_path / "plays")
    made.start()
    yield made
    made.close()
    assert not list((tmp_path / "plays").iterdir()), "nothing is left of it"


def test_the_socket_answers_its_owner_alone(remote, told, tmp_path):
    facts = json.loads(remote.announcement.read_text())
    assert Path(facts["key_file"]).stat().st_mode & 0o077 == 0
    with pytest.raises(WireError, match="does not accept"):
        connect(facts["address"], b"another key that is long enough")
    assert read_key(Path(facts["key_file"]))
    peer = find_play(tmp_path / "plays")
    assert ask(peer, "say", {"text": "run"}) == {"text": "run"}
    assert ask(peer, "status")["instruction"] == "run"
    with pytest.raises(BadArgument, match="at most"):
        ask(peer, "say", {"text": "x" * 3000})
    with pytest.raises(BadArgument, match="does not understand 'dance'"):
        ask(peer, "dance")
    assert ask(peer, "say", {"text": "stop"}) == {"text": "stop"}, "a refusal ends nothing"
    peer.close()


def test_typing_ends_with_a_text_without_one_and_with_the_overlay(remote, told):
    peer = join(remote.announcement)
    ask(peer, "type")
    assert told.is_typing
    assert ask(peer, "resume", {"text": "run"}) == {"text": "run"}
    assert not told.is_typing
    ask(peer, "type")
    assert ask(peer, "resume", {"text": None}) == {"text": "run"}
    ask(peer, "type")
    told.done.clear()
    peer.close()
    assert told.done.wait(20), "an overlay that is gone types no more"
    assert not told.is_typing


def test_an_announcement_of_nothing_is_refused(tmp_path):
    (tmp_path / "1.json").write_text("{}")
    with pytest.raises(BadFile, match="announces no play"):
        join(tmp_path / "1.json")
    with pytest.raises(NotFound, match="No play is running"):
        find_play(tmp_path)


def test_instructions_are_taken_once():
    instructions = Instructions(" go \n home ")
    assert instructions.take() == "go home"
    assert instructions.take() is None
    instructions.change("go home")
    assert instructions.take() is None
    instructions.change("run")
    instructions.change("stop")
    assert instructions.text == "stop"
    assert instructions.take() == "stop"


def test_words_are_the_librarys_or_those_given(tmp_path):
    texts = [f"word {number}" for number in range(12)]
    write_settings(tmp_path, LibrarySettings(vocabulary=tuple(VocabularyEntry(text=text) for text in texts)))
    words = choose_words([], tmp_path)
    assert [(word.label, word.text) for word in words] == [(str(i + 1), text) for i, text in enumerate(texts[:9])]
    assert words[0].hotkey == digit_key("1")
    given = choose_words(["2=shoot them", "Ctrl+Shift+R=run = fast"], tmp_path)
    assert [(word.label, word.text) for word in given] == [("2", "shoot them"), ("Ctrl+Shift+R", "run = fast")]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["1"], "KEY=TEXT"),
        (["1= "], "says no instruction"),
        (["=go"], "not a hotkey"),
        (["12=go"], "not a hotkey"),
        (["Ctrl+Alt+0=go"], "has a meaning in a play"),
        (["Shift+F12=go"], "has a meaning in a play"),
        (["1=go", "Ctrl+Alt+1=run"], "given twice"),
        (["1=" + "x" * 3000], "at most"),
    ],
)
def test_a_word_that_cannot_be_is_refused(tmp_path, given, word):
    with pytest.raises(BadArgument, match=word.replace("+", r"\+")):
        choose_words(given, tmp_path)


def test_an_instruction_is_one_line():
    assert checked("a\tb\n c") == "a b c"
    assert str(SAY_NOTHING) == "Ctrl+Alt+0"
