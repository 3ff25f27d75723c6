"""The recorder's program as a person meets it: on a private display, with a real pointer and real keys."""

from __future__ import annotations

import pytest
from Xlib import X
from Xlib.display import Display

from db.library.catalogue import SessionSummary
from db.recording.consent import find_consent, give_consent
from db.recording.events import EventKind, GapReason
from db.recording.keys import CODES
from db.recording.profiles import list_profiles
from db.recording.verification import verify
from db.store import Store
from games.xserver import XServer
from recorder.hotkeys import DEFAULTS
from recorder.screen import windows

from .conftest import wait_until
from .desk import Desk

A, S = CODES["KEY_A"], CODES["KEY_S"]


@pytest.fixture(scope="module")
def wide_display():
    """With openbox, and room for a game beside the recorder."""
    with XServer((1600, 900), window_manager=True) as server:
        yield server.display


@pytest.fixture
def library(tmp_path):
    return tmp_path / "library"


@pytest.fixture
def desk(wide_display, library, tmp_path):
    made = []

    def start(*options, agreed=True, **env):
        if agreed:
            with Store.open(library) as store:
                give_consent(store.root, "ann", "team")
        config = tmp_path / "home" / ".config" / "Playtape"
        config.mkdir(parents=True, exist_ok=True)
        (config / "Playtape.conf").write_text("[recorder]\ncountdown_s=1\n")
        made.append(Desk(wide_display, library, tmp_path / "home", "--player", "ann", *options, **env))
        return made[-1]

    yield start
    for one in made:
        err = one.close()
        assert one.process.returncode in (0, 1), err
        assert "Traceback" not in err, err


@pytest.fixture
def game(wide_display, make_window):
    """A game at the lower right, which paints all the time."""
    window = make_window(wide_display, "Barcode game", (1240, 560, 320, 240))
    window.play()
    return window


def summaries(library) -> list[SessionSummary]:
    with Store.open(library) as store:
        return sorted(store.search(), key=lambda summary: summary.started_at)


def is_focused(game) -> bool:
    found = game.connection.get_input_focus().focus
    return getattr(found, "id", found) == game.id


def start_recording(desk, game):
    """By the hotkey, once the window has found the game."""
    desk.see("Picture")
    desk.key("F9")
    desk.see("Get ready |")
    desk.see("Recording |", 30)
    wait_until(lambda: is_focused(game), "the game's focus")


def test_from_the_first_run_to_the_verdict(desk, game, library):
    """Agree, pick, keep a profile, record by hotkey, mute, pause, resume, discard, stop, keep."""
    at = desk(agreed=False)
    at.see("I agree", enabled=False)
    at.click("Team")
    at.click("I agree")
    at.see("Barcode game (new)")
    assert find_consent(library, "ann").licence == "team"
    at.click("Keep profile")
    wait_until(lambda: [profile.name for profile in list_profiles(library)] == ["Barcode game"], "the profile")
    start_recording(at, game)
    at.key("a")
    at.key("F8")
    at.see("Muted |")
    at.see("Unmute keyboard")
    at.key("s")  # a chat line
    at.key("F8")
    at.see("Recording |")
    at.key("a")
    at.wait(lambda: at.find("Recording  0:0"), "the sign beside the game")
    sign = next(widget for widget in at.widgets() if widget["kind"] == "Pill")
    left, top, width, height = sign["rect"]
    assert left + width <= 1240 or top >= 800 or left >= 1560 or top + height <= 560
    at.key("F10")
    at.see("Paused |")
    at.click("Resume")
    at.see("Recording |", 30)
    at.key("F7")
    at.see("Discarded for good: the last")
    at.see("Recording |", 30)
    wait_until(lambda: is_focused(game), "the game's focus again")
    at.key("a")
    at.key("F9")
    at.see("Discard…", 40)
    stored = summaries(library)
    assert {summary.game for summary in stored} == {"Barcode game"}
    assert len({summary.group_id for summary in stored}) == 1
    at.click("Keep")  # or Keep all
    at.see("Game profile")
    own = {hotkey.code for hotkey in DEFAULTS.values()}
    with Store.open(library) as store:
        for summary in stored:
            recording = store.recording(summary.id)
            keys = recording.events[recording.events["kind"] == int(EventKind.KEY)]
            assert not own & set(keys["code"].tolist())
            assert S not in keys["code"]
            assert (recording.meta.consent.licence, recording.meta.profile.name) == ("team", "Barcode game")
            assert verify(store.session_folder(summary.id)) == []
        assert any(A in store.recording(summary.id).events["code"] for summary in stored)
        gaps = [gap.reason for summary in stored for gap in store.recording(summary.id).gaps]
        assert len(stored) == 1 or GapReason.MUTED in gaps


def test_closing_the_window_keeps_what_was_recorded(desk, game, library):
    at = desk()
    start_recording(at, game)
    at.key("a")
    at.process.terminate()
    assert at.process.wait(40) == 0
    [summary] = summaries(library)
    assert summary.frames > 0


def test_a_countdown_can_be_called_off(desk, game, library):
    at = desk()
    at.see("Picture")
    at.key("F9")
    at.see("Get ready |")
    at.key("F9")
    at.see("Game profile")
    assert summaries(library) == []


def test_a_model_is_let_play_what_is_picked(desk, game, library):
    """One that cannot: the reason is said in the window, and it can be tried again."""
    at = desk()
    at.see("Barcode game (new)")
    at.click("Let a model play…")
    at.see("There is no policy in this library yet")
    assert not at.find("Play", kind="QPushButton")
    at.click("Cancel")
    (library / "models" / "policy-1").mkdir(parents=True)
    (library / "models" / "policy-1" / "model.json").write_text('{"config": {"kind": "policy"}}')
    at.click("Let a model play…")
    at.see("policy-1")
    at.wait(lambda: at.find("Instruction", kind="QLineEdit")["focused"], "the focus")
    at.type("go")
    at.key("Return")
    at.see("A model plays Barcode game")
    wait_until(lambda: is_focused(game), "the game's focus")
    assert not at.find("Let a model play…")
    at.see("playtape-play: The model's server did not start", 60)
    assert not at.find("A model plays")
    at.see("Let a model play…")


def test_playtapes_own_windows_are_never_offered(desk, game):
    at = desk()
    at.see("Barcode game (new)")
    connection = Display(at.display.get_display_name())
    own = [w for w in windows.list_windows(connection) if windows.is_playtape(connection, w)]
    assert [window.title for window in own] == ["Playtape Recorder"]
    connection.close()


def test_hotkeys_are_rebound_and_clashes_said_at_once(desk, game, tmp_path):
    at = desk()
    at.see("Barcode game (new)")
    at.click("Settings")
    at.click("F10")
    at.see("Press the keys")
    at.key("F9")
    at.see("F9 is also the hotkey for")
    assert not at.find("Get ready |")  # what was typed as a hotkey does not act
    at.click("Usual hotkeys")
    at.wait(lambda: not at.find("F9 is also the hotkey"), "the complaint to go")
    at.click("F9")
    at.see("Press the keys")
    at.key("Control_L+r")
    at.see("Ctrl+R")
    at.close()
    [settings] = (tmp_path / "home").rglob("Playtape.conf")
    assert "Ctrl+R" in settings.read_text()


def test_another_player_is_asked_to_agree(desk, game, library):
    at = desk()
    at.see("Barcode game (new)")
    at.click("Settings")
    left, top, _, height = at.see("Hotkeys")["rect"]
    for _ in range(20):  # the wheel
        at.press_at(left, top + height, 5)
    at.wait(lambda: at.find("Player", kind="QLineEdit")["value"] == "ann", "the player's name")
    at.click("Player", kind="QLineEdit")
    at.wait(lambda: at.find("Player", kind="QLineEdit")["focused"], "the focus")
    at.key("Control_L+a")
    at.type("ben")
    at.key("Return")
    at.see("Before the first recording")
    assert find_consent(library, "ben") is None


def test_every_control_can_be_reached_by_tab(desk, game):
    at = desk()
    at.see("Barcode game (new)")
    at.click("Windows", kind="QPushButton")
    at.wait(lambda: at.find("Windows", kind="QPushButton")["focused"], "the focus")
    reached = [at.find("Windows", kind="QPushButton")]
    while len(reached) < 16:
        at.key("Tab")
        reached.append(at.wait(lambda: _focused_but(at, reached[-1]), "another focus"))
    texts = [widget["text"] for widget in reached]
    wanted = ["Barcode game (new)", "Edit …", "Keep profile", "Record"]
    assert [text for text in texts if text in wanted][:4] == wanted
    assert {"Record", "My sessions", "Settings"} & set(texts)


def _focused_but(at, last):
    focused = [widget for widget in at.widgets() if widget["focused"]]
    return next(
        (widget for widget in focused if (widget["text"], widget["rect"]) != (last["text"], last["rect"])), None
    )


def test_without_a_window_it_says_so_and_finds_one_later(desk, wide_display, make_window):
    at = desk()
    at.see("There is no window to record yet.")
    assert at.find("Record", enabled=False) is not None
    make_window(wide_display, "Late game", (1240, 500, 300, 200))
    at.see("Late game (new)")


def test_a_closed_game_ends_the_recording_with_its_verdict(desk, wide_display, make_window, library):
    window = make_window(wide_display, "Short game", (1240, 560, 320, 240))
    window.play()
    at = desk()
    start_recording(at, window)
    at.key("a")
    window._stop.set()
    window._thread.join()
    window.handle.unmap()
    window.handle.destroy()
    window.connection.sync()
    at.see("Discard…", 40)
    assert len(summaries(library)) == 1


def test_a_library_that_cannot_be_is_said_in_a_window(desk, library):
    library.write_text("a file where the library should be")
    at = desk(agreed=False)
    at.see("Nothing can be recorded here")
    at.click("Close")
    assert at.process.wait(30) == 1


def test_wayland_is_said_in_a_window(desk, library):
    at = desk(agreed=False, XDG_SESSION_TYPE="wayland", QT_QPA_PLATFORM="xcb")
    at.see("This is a Wayland session")
    at.click("Close")
    assert at.process.wait(30) == 1


def test_a_black_window_is_refused_with_the_reason_and_recorded_anyway(desk, wide_display, make_window, library):
    window = make_window(wide_display, "Black game", (1240, 560, 320, 240))
    window.handle.change_attributes(background_pixel=0)
    window.handle.clear_area()
    window.connection.sync()
    at = desk()
    at.see("Picture")
    at.key("F9")
    at.see("The window has shown nothing but black", 30)
    assert summaries(library) == []
    at.click("Record anyway")
    at.see("Recording |", 30)
    at.key("F9")
    at.see("Discard…", 40)
    [summary] = summaries(library)
    assert summary.grade == "bad"


def test_a_monitor_is_recorded_without_the_recorders_own_window(desk, game, library):
    at = desk()
    at.see("Barcode game (new)")
    at.click("Monitors")
    at.see("Keys and mouse count while this window is in front:")
    at.wait(lambda: at.find("Picture"), "the self-test")
    at.key("F9")
    at.wait(lambda: not windows_shown(game.connection), "the window to step aside", 30)
    wait_until(lambda: is_focused(game), "the game's focus")
    wait_until(lambda: recording_folders(library), "the recording")
    at.key("a")
    at.key("F9")
    at.see("Discard…", 40)
    [summary] = summaries(library)
    assert summary.size_px == (1600, 900)
    assert windows_shown(game.connection)


def windows_shown(connection) -> list[str]:
    return [w.title for w in windows.list_windows(connection) if w.title == "Playtape Recorder"]


def recording_folders(library):
    return list((library / "sessions").glob("*/facts.sqlite"))


def test_the_tray_gets_an_icon_where_there_is_one(desk, game, wide_display):
    connection = Display(wide_display)
    root = connection.screen().root
    tray = root.create_window(0, 0, 64, 64, 0, X.CopyFromParent, event_mask=X.SubstructureNotifyMask)
    opcode = connection.intern_atom("_NET_SYSTEM_TRAY_OPCODE")
    tray.set_selection_owner(connection.intern_atom("_NET_SYSTEM_TRAY_S0"), X.CurrentTime)
    connection.sync()

    def docked():
        events = [connection.next_event() for _ in range(connection.pending_events())]
        return [e for e in events if e.type == X.ClientMessage and e.client_type == opcode and e.data[1][1] == 0]

    try:
        at = desk()
        at.see("Barcode game (new)")
        at.wait(docked, "the request to dock an icon")
    finally:
        connection.close()


def test_the_window_that_the_command_names_is_picked_first(desk, wide_display, make_window):
    make_window(wide_display, "Large game", (600, 60, 640, 480))
    make_window(wide_display, "Small game", (1260, 60, 300, 200))
    desk("--window-title", "^small").see("Small game (new)")
