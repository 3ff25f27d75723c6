"""The recorder's own keys: how they are written, what speaks against them, and that they are heard anywhere."""

from __future__ import annotations

import queue

import pytest
from hypothesis import given
from hypothesis import strategies as st
from Xlib import X
from Xlib.display import Display

from db.errors import BadArgument
from db.recording import keys
from recorder.hotkeys import DEFAULTS, MODIFIER_CODES, Hotkey, HotkeyAction, HotkeyListener, modifiers_of, problems
from recorder.inputs.grabs import is_taken

F8, F9, CTRL, SHIFT, R = (keys.CODES[f"KEY_{name}"] for name in ("F8", "F9", "LEFTCTRL", "LEFTSHIFT", "R"))

any_hotkey = st.builds(
    Hotkey,
    st.sampled_from(
        [code for name, code in keys.CODES.items() if name.startswith("KEY_") and code not in MODIFIER_CODES]
    ),
    st.frozensets(st.sampled_from(["ctrl", "shift", "alt", "meta"])),
)


@given(any_hotkey)
def test_what_is_written_is_read_back(hotkey):
    assert Hotkey.parse(str(hotkey)) == hotkey


@pytest.mark.parametrize("text", ["", "+", "Ctrl", "Ctrl+", "Hyper+F9", "Ctrl+Nosuch", "Shift+Ctrl"])
def test_nonsense_is_refused(text):
    with pytest.raises(BadArgument, match="is not a hotkey"):
        Hotkey.parse(text)


def test_it_is_the_key_with_exactly_these_modifiers():
    hotkey = Hotkey.parse("Ctrl+F9")
    assert hotkey.matches(F9, {keys.CODES["KEY_RIGHTCTRL"], 17})
    assert not hotkey.matches(F9, {CTRL, SHIFT})
    assert not hotkey.matches(F9, ())
    assert modifiers_of({CTRL, 17}) == {"ctrl"}


def test_what_speaks_against_a_binding(display, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    assert problems(DEFAULTS) == {}
    twice = {HotkeyAction.RECORD: Hotkey(F9), HotkeyAction.PAUSE: Hotkey(F9)}
    assert set(problems(twice)) == set(twice)
    assert "game's own keys" in problems({HotkeyAction.RECORD: Hotkey(F9)}, [F9])[HotkeyAction.RECORD]
    assert problems({HotkeyAction.RECORD: Hotkey(F9, frozenset({"ctrl"}))}, [F9]) == {}
    unknown = problems({HotkeyAction.RECORD: Hotkey(600)})
    assert "no key" in unknown[HotkeyAction.RECORD]


def test_a_key_that_another_program_has_taken_says_so(display, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    other = Display(display)
    root, keycode = other.screen().root, F8 + keys.X11_KEYCODE_OFFSET
    root.grab_key(keycode, X.ControlMask, True, X.GrabModeAsync, X.GrabModeAsync)
    other.sync()
    try:
        assert is_taken(F8, {"ctrl"}) is True
        assert is_taken(F8, ()) is False
        found = problems({HotkeyAction.MUTE: Hotkey(F8, frozenset({"ctrl"}))})
        assert "Another program" in found[HotkeyAction.MUTE]
    finally:
        root.ungrab_key(keycode, X.AnyModifier)
        other.close()


def test_hotkeys_are_heard_wherever_the_focus_is(display, monkeypatch, injector, game):
    """Also while a game has grabbed the keyboard; a press is one action, with its modifiers or not at all."""
    monkeypatch.setenv("DISPLAY", display)
    heard = queue.SimpleQueue()
    bindings = {HotkeyAction.RECORD: Hotkey(F9), HotkeyAction.DISCARD: Hotkey(R, frozenset({"ctrl", "shift"}))}
    listener = HotkeyListener(bindings, heard.put)
    listener.start()
    try:
        assert listener.problem == ""
        game.handle.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
        game.connection.sync()
        for code in (F9, R, F9):
            injector.set(code, True)
            injector.set(code, False)
        for code, down in ((CTRL, 1), (SHIFT, 1), (R, 1), (R, 0), (SHIFT, 0), (CTRL, 0)):
            injector.set(code, bool(down))
        injector._connection.sync()
        actions = [heard.get(timeout=10) for _ in range(3)]
        assert actions == [HotkeyAction.RECORD, HotkeyAction.RECORD, HotkeyAction.DISCARD]
    finally:
        game.connection.ungrab_keyboard(X.CurrentTime)
        game.connection.sync()
        listener.close()
        listener.close()
    assert heard.empty()


def test_without_a_display_it_says_so(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":4095")
    listener = HotkeyListener({HotkeyAction.RECORD: Hotkey(F9)}, lambda action: None)
    listener.start()
    assert "use the buttons" in listener.problem
    listener.close()
