"""OWAMcap recordings of other tools come in; what their messages may say does no harm."""

from __future__ import annotations

import numpy as np
import pytest

from db.errors import BadArgument
from db.formats.owamcap.mcapreader import McapReader
from db.recording.keys import BTN_LEFT, CODES
from owamcaps import COUNT, SCREENS, T0, bring, others_folder, pressed, refused, screen, store_file
from recordings import KEY_A, KEY_W


@pytest.fixture
def folder(store, tmp_path):
    return others_folder(store, tmp_path / "others")


def test_a_recording_of_the_desktop_recorder(store, folder):
    """Repeats, an absolute path of another machine, the mouse told of twice, a key that was down before the first frame."""
    messages = [(T0 - 10**8, "keyboard/state", {"buttons": [0x57, 0x10, 0xA0]})]
    messages += [screen(i, "C:\\Users\\bob\\film.mkv") for i in range(COUNT)]
    messages += [pressed(3.5, 0x57, "release"), pressed(5.1, 0x41), pressed(5.5, 0x41), pressed(6.5, 0x41)]
    messages += [pressed(9.5, 0x41, "release"), pressed(10, 0xFF), pressed(11.5, 0x11), pressed(12.5, 0x11, "release")]
    raw = {"last_x": 4, "last_y": -1, "button_flags": 0x401, "button_data": 65536 - 240}
    messages += [
        (T0 + 700_000_000, "mouse/raw", raw),
        (T0 + 700_000_000, "mouse", {"event_type": "move", "x": 9, "y": 9}),
    ]
    messages += [(T0 + 5, "audio", {"a": 1})]
    store_file(folder / "a.mcap", messages)
    with pytest.raises(BadArgument, match="--game"):
        bring(store, folder)
    report = bring(store, folder, game="doom", player="bob")[0]
    assert report.dropped == {
        "messages of 'audio'": 1,
        "repeats of keys that are down": 2,
        "events of the key with the virtual code 255": 1,
        "places of the pointer": 1,
    }
    assert report.changed["keys whose side is not told count as the left ones"] == 2
    track = store.recording(report.session_id).resolve()
    column = {code: i for i, code in enumerate(track.codes)}
    assert np.flatnonzero(track.held[:, column[KEY_W]]).tolist() == [0, 1, 2]
    assert track.presses[:, column[KEY_W]].sum() == 0
    assert np.flatnonzero(track.held[:, column[KEY_A]]).tolist() == [5, 6, 7, 8]
    assert track.presses[:, column[KEY_A]].sum() == 1
    assert track.held[-1, column[BTN_LEFT]]
    assert track.motion[21].tolist() == [4.0, -1.0]
    assert track.scroll[21].tolist() == [0.0, -2.0]
    assert track.held[0, column[CODES["KEY_LEFTSHIFT"]]]


def test_a_mouse_without_raw_motion_moves_by_what_its_places_differ(store, folder):
    mouse = [(T0 + i * 10**8, "mouse", {"event_type": "move", "x": 10 * i, "y": -i}) for i in range(5)]
    mouse += [(T0 + 6 * 10**8, "mouse", {"event_type": "click", "x": 40, "y": -4, "button": "left", "pressed": True})]
    mouse += [(T0 + 7 * 10**8, "mouse", {"event_type": "scroll", "x": 40, "y": -4, "dx": 0, "dy": 1})]
    store_file(folder / "a.mcap", [*SCREENS, *mouse])
    report = bring(store, folder, game="doom")[0]
    assert report.changed["motions are what the pointer's places differ by, after the system's acceleration"] == 4
    track = store.recording(report.session_id).resolve()
    assert track.motion.sum(axis=0).tolist() == [40.0, -4.0]
    assert track.scroll.sum(axis=0).tolist() == [0.0, 1.0]
    assert track.presses.sum() == 1


def test_pictures_alone_have_no_known_inputs(store, folder):
    store_file(folder / "a.mcap", SCREENS)
    report = bring(store, folder, game="doom")[0]
    assert not store.recording(report.session_id).resolve().known.any()


def test_a_video_with_more_and_fewer_frames_than_messages(store, folder):
    for name, frames in (("fewer", range(30)), ("other", range(10, 90))):
        store_file(folder / f"{name}.mcap", [*(screen(i) for i in frames), pressed(20.5, 0x57)])
        report = bring(store, folder / f"{name}.mcap", game="doom")[0]
        clock = store.recording(report.session_id).clock
        assert len(clock) == COUNT
        assert np.abs(np.diff(clock.t_ns) - 1e9 / 30).max() < 2_000_000


def test_times_that_go_back_are_those_before(store, folder):
    store_file(
        folder / "a.mcap", [*SCREENS, pressed(20.5, 0x57), *[(T0, "keyboard", {"event_type": "release", "vk": 0x57})]]
    )
    a = McapReader(folder / "a.mcap")
    assert [m.t_ns for m in a.messages()] == sorted(m.t_ns for m in a.messages()), "a chunk comes in order of time"
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'  # ends the chunk
    store_file(folder / "b.mcap", [pressed(20.5, 0x57), (T0, "audio", big), *SCREENS, pressed(0.5, 0x57, "release")])
    report = bring(store, folder / "b.mcap", game="doom")[0]
    assert report.changed["events that had an earlier time than the one before have its time"] == 1
    assert store.recording(report.session_id).resolve().presses.sum() == 1


MESSAGES = {
    "no pictures": ([pressed(1, 0x57)], "no pictures"),
    "another profile": (SCREENS, "profile"),
    "pictures on the net": ([screen(0, "https://example.org/film.mkv")], "beside it"),
    "pictures in the message": ([screen(0, "data:image/png;base64,AAAA")], "beside it"),
    "pictures elsewhere": ([screen(0, "../../../../etc/passwd")], "beside it"),
    "pictures at the root": ([screen(0, "/etc/passwd")], "beside it"),
    "pictures in the file itself": ([screen(0, "a.mcap")], "beside it"),
    "pictures in two videos": ([screen(0), screen(1, "other.mkv")], "another video"),
    "no time in the video": ([(T0, "screen", {"media_ref": {"uri": "film.mkv"}})], "no time in a video"),
    "a time before the video": (
        [(T0, "screen", {"media_ref": {"uri": "film.mkv", "pts_ns": -5}})],
        "no time in a video",
    ),
    "no JSON": ([*SCREENS, (T0, "keyboard", b"{")], "not JSON"),
    "deep JSON": ([*SCREENS, (T0, "keyboard", b"[" * 10**6)], "not JSON"),
    "no object": ([*SCREENS, (T0, "keyboard", b"[1]")], "not an object"),
    "another kind": ([*SCREENS, (T0, "keyboard", {"event_type": "smash", "vk": 1})], "smash"),
    "a key that is a word": ([*SCREENS, (T0, "keyboard", {"event_type": "press", "vk": "W"})], "'W'"),
    "a key that is no number": ([*SCREENS, (T0, "keyboard", {"event_type": "press", "vk": float("nan")})], "nan"),
    "a motion beyond all": ([*SCREENS, (T0, "mouse/raw", {"last_x": 10**400, "last_y": 0})], "cannot be"),
    "a state of words": ([(T0 - 9, "keyboard/state", {"buttons": ["W"]}), *SCREENS], "other things"),
    "a state without end": ([(T0 - 9, "keyboard/state", {"buttons": [1] * 1000}), *SCREENS], "list of at most"),
    "a time beyond all": ([*SCREENS, (2**64 - 1, "keyboard", {"event_type": "press", "vk": 1})], "cannot be"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_that_cannot_be_are_refused_with_the_place(store, folder, name):
    messages, said = MESSAGES[name]
    path = store_file(folder / "a.mcap", messages, profile="ros2" if name == "another profile" else "owa")
    refused(store, path, said)


def test_a_video_that_is_none_is_refused(store, folder):
    (folder / "film.mkv").write_bytes(b"#EXTM3U\n/etc/passwd\n")
    refused(store, store_file(folder / "a.mcap", SCREENS), "film.mkv")
