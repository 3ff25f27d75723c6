"""Pictures of real windows on a real X server."""

from __future__ import annotations

import json
import random
import threading
import time

import numpy as np
import pytest
from Xlib import X
from Xlib.display import Display
from Xlib.ext import randr

from db.errors import BadArgument, CaptureUnavailable, NotFound, WindowLost
from games.xserver import XServer
from recorder.backends import require
from recorder.screen import synthetic, windows
from recorder.screen.source import DisplayLost, WindowClosed, WindowHidden, WindowResized
from recorder.screen.x11 import X11Region, X11Window


def wait_until(condition, what):
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s, f"waited for {what}"


def read_cells(bgra):
    """The number that the window of conftest paints."""
    return sum(1 << bit for bit in range(16) if bgra[8, bit * 16 + 8, 0] > 128)


@pytest.fixture
def source(display, game):
    made = X11Window(window_id=game.id, display=display)
    yield made
    made.close()


def test_grab_shows_what_the_window_painted(source, game):
    target = source.open()
    assert (target.title, target.size_px, target.position_px) == ("Barcode game", (320, 240), (40, 40))
    for number in (1, 2, 40000, 65535):
        game.paint(number)
        game.connection.sync()
        grab = source.grab()
        assert read_cells(grab.bgra) == number
        assert grab.bgra.shape == (240, 320, 4)
        assert grab.t_before_ns < grab.t_ns


def test_odd_sizes_lose_their_last_column_and_row(display, make_window):
    window = make_window(display, "odd", (0, 0, 301, 199))
    source = X11Window(window_id=window.id, display=display)
    assert source.open().size_px == (300, 198)
    assert source.grab().bgra.shape == (198, 300, 4)
    source.close()


def test_a_moved_window_is_followed(source, game):
    source.open()
    game.paint(777)
    game.handle.configure(x=200, y=150)
    game.connection.sync()
    assert read_cells(source.grab().bgra) == 777


def test_beyond_the_edge_of_the_screen_it_is_black(source, game):
    source.open()
    game.handle.configure(x=-100, y=-50)
    game.connection.sync()
    picture = source.grab().bgra
    assert picture.shape == (240, 320, 4)
    assert not picture[:50].any()
    assert not picture[:, :100].any()
    assert picture[60, 110, 0] == 0x60


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        (lambda window: window.handle.configure(width=300), WindowResized, "resized"),
        (lambda window: window.handle.unmap(), WindowHidden, "hidden"),
        (lambda window: window.handle.destroy(), WindowClosed, "closed"),
        (lambda window: window.handle.configure(x=5000), WindowHidden, "off the screen"),
    ],
)
def test_a_lost_window_says_how(source, game, change, kind, word):
    source.open()
    source.grab()
    change(game)
    game.connection.sync()
    with pytest.raises(kind, match=word):
        source.grab()


def test_a_source_opens_again_at_the_new_size(source, game):
    source.open()
    game.handle.configure(width=200, height=100)
    game.connection.sync()
    with pytest.raises(WindowResized):
        source.grab()
    source.close()
    assert source.open().size_px == (200, 100)
    game.paint(9)
    game.connection.sync()
    assert source.grab().bgra.shape == (100, 200, 4)


def resize_screen(display, size_px):
    """Gives the screen another resolution, as a settings panel does (RandR)."""
    connection = Display(display)
    root = connection.screen().root
    resources = randr.get_screen_resources(root)
    for crtc in resources.crtcs:  # a CRTC that is on would be larger than the screen
        connection.xrandr_set_crtc_config(crtc, resources.config_timestamp, 0, 0, X.NONE, randr.Rotate_0, [])
    randr.set_screen_size(root, *size_px, width_in_millimeters=200, height_in_millimeters=150)
    connection.sync()
    connection.close()


def test_a_window_outlives_a_change_of_resolution_and_a_monitor_does_not(make_window):
    with XServer((1024, 768)) as server:
        window = make_window(server.display, "steady", (500, 300, 320, 240))
        source = X11Window(window_id=window.id, display=server.display)
        region = X11Region((500, 300, 320, 240), display=server.display)
        monitor = X11Region(monitor=0, display=server.display)
        for made in (source, region, monitor):
            made.open()
            made.grab()
        resize_screen(server.display, (700, 500))
        window.paint(1234)
        window.connection.sync()
        picture = source.grab().bgra
        assert picture.shape == (240, 320, 4)
        assert picture[:199, :199].any()
        assert not picture[200:].any()
        assert not picture[:, 200:].any()
        for made in (region, monitor):
            with pytest.raises(WindowResized, match="screen changed"):
                made.grab()
            made.close()
        assert monitor.open().size_px == (700, 500)
        resize_screen(server.display, (1024, 768))
        window.paint(4321)
        window.connection.sync()
        assert read_cells(source.grab().bgra) == 4321
        with pytest.raises(WindowResized):
            monitor.grab()
        for made in (source, monitor):
            made.close()


@pytest.mark.parametrize("as_window", [True, False])
def test_a_display_that_goes_away_is_told(make_window, as_window):
    with XServer((400, 300)) as server:
        window = make_window(server.display, "doomed")
        display = server.display
        source = X11Window(window_id=window.id, display=display) if as_window else X11Region(monitor=0, display=display)
        source.open()
        source.grab()
    with pytest.raises(DisplayLost, match="gone away"):
        source.grab()
    source.close()


def test_a_covered_window_is_blanked_on_request(source, game, display, make_window):
    source.open()
    assert source.grab(blank_if_covered=True).bgra.any()
    cover = make_window(display, "cover", (300, 200, 200, 200))
    assert source.grab().bgra.any()
    assert not source.grab(blank_if_covered=True).bgra.any()
    cover.handle.configure(x=600)
    cover.connection.sync()
    assert not source.grab(blank_if_covered=True).bgra.any()  # it may have been there a moment ago
    wait_until(lambda: source.grab(blank_if_covered=True).bgra.any(), "the picture without the cover")


def test_no_picture_shows_what_lies_under_a_window_that_is_dragged(display, game, make_window):
    """The window is red, all around it is grey, and a thread drags it about while pictures are taken."""
    game.handle.change_attributes(background_pixel=0xFF0000)
    game.handle.clear_area()
    game.connection.sync()
    source = X11Window(window_id=game.id, display=display)
    source.open()
    assert (source.grab().bgra[..., :3] == (0, 0, 255)).all()
    stop = threading.Event()

    def drag():
        dice = random.Random(4)
        while not stop.is_set():
            game.handle.configure(x=dice.randrange(600), y=dice.randrange(400))
            game.connection.sync()
            stop.wait(dice.random() / 300)

    hand = threading.Thread(target=drag)
    hand.start()
    shown = 0
    try:
        for _ in range(400):
            picture = source.grab().bgra[..., :3]
            whole = bool((picture == (0, 0, 255)).all())
            assert whole or not picture.any()
            shown += whole
    finally:
        stop.set()
        hand.join()
        source.close()
    assert shown > 100


def test_a_window_is_followed_under_a_window_manager(managed_display, make_window):
    """Under a window manager the window lies in a frame, and that is what is moved."""
    window = make_window(managed_display, "framed")
    window.paint(4711)
    source = X11Window(window_id=window.id, display=managed_display)
    source.open()
    window.handle.configure(x=500, y=300)
    wait_until(lambda: window.describe().position_px[0] > 400, "the window manager to move the window")
    window.paint(1147)
    window.connection.sync()
    wait_until(lambda: read_cells(source.grab().bgra) == 1147, "the picture at the new place")
    source.close()


def test_a_window_is_followed_with_what_it_lies_in(source, game):
    """Its own events say nothing of a move of its frame; and it may be put into another frame at any time."""
    root = game.connection.screen().root
    frame = root.create_window(100, 100, 400, 300, 0, 24, background_pixel=0x202020)
    frame.map()
    game.handle.reparent(frame, 10, 10)
    game.connection.sync()
    assert source.open().position_px == (110, 110)

    def shows(number):
        game.paint(number)
        game.connection.sync()
        return read_cells(source.grab().bgra) == number

    assert shows(11)
    frame.configure(x=300, y=200)
    assert shows(12)
    game.handle.reparent(root, 20, 20)
    assert shows(13)
    frame.configure(x=0, y=0, stack_mode=X.Below)
    assert shows(14)
    game.handle.reparent(frame, 30, 30)
    frame.configure(x=250)
    assert shows(15)
    frame.unmap()
    game.connection.sync()
    with pytest.raises(WindowHidden):
        source.grab()
    game.handle.reparent(root, 0, 0)
    frame.destroy()
    game.connection.sync()


def test_a_covered_window_is_known_under_a_window_manager(managed_display, make_window):
    lower, upper = make_window(managed_display, "lower"), make_window(managed_display, "upper")
    for window in (lower, upper):
        window.handle.configure(x=60, y=60)
    upper.handle.configure(stack_mode=X.Above)
    upper.connection.sync()
    found = [window.title for window in windows.covering(lower.connection, lower.describe())]
    assert found == ["upper"]
    assert not windows.covering(upper.connection, upper.describe())


def test_windows_are_found_by_title_and_id(game, display):
    connection = windows.connect(display)
    try:
        assert windows.find_window(connection, title="barCODE g.me$").window_id == game.id
        assert windows.find_window(connection, window_id=game.id).title == "Barcode game"
        assert game.id in [window.window_id for window in windows.list_windows(connection)]
        with pytest.raises(NotFound, match="no such title"):
            windows.find_window(connection, title="no such title")
        with pytest.raises(NotFound, match="12345"):
            windows.find_window(connection, window_id=12345)
        with pytest.raises(BadArgument, match="regular expression"):
            windows.find_window(connection, title="(")
    finally:
        connection.close()


def test_regions_and_monitors(display, game):
    game.paint(5)
    game.connection.sync()
    region = X11Region((40, 40, 301, 101), display=display)
    assert region.open().size_px == (300, 100)
    assert read_cells(region.grab().bgra) == 5
    region.close()
    monitor = X11Region(monitor=0, display=display)
    assert monitor.open().size_px == (1024, 768)
    assert monitor.grab().bgra.shape == (768, 1024, 4)
    monitor.close()


@pytest.mark.parametrize("rect", [(-1, 0, 10, 10), (1000, 0, 100, 10), (0, 0, 1, 1)])
def test_a_region_must_lie_on_the_screen(display, rect):
    region = X11Region(rect, display=display)
    with pytest.raises(BadArgument, match="not within the screen"):
        region.open()
    region.close()


@pytest.mark.parametrize(
    ("environment", "platform", "word"),
    [
        ({}, "linux", "DISPLAY"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux", "Wayland"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "linux", "Wayland"),
        ({}, "win32", "Windows"),
        ({}, "darwin", "macOS"),
    ],
)
def test_what_cannot_be_captured_is_said(environment, platform, word):
    with pytest.raises(CaptureUnavailable, match=word):
        require(environment, platform)


def test_no_such_display_is_said(record):
    command = record("--window-title", "x", on=":987")
    out, err = command.process.communicate(timeout=30)
    assert command.process.returncode == 1
    assert "X display" in json.loads(out)["error"]
    assert "Traceback" not in err


def test_synthetic_pictures_carry_their_index():
    source = synthetic.SyntheticScreen((64, 48), repeat=2, lost_after=6)
    source.open()
    assert [synthetic.read_index(source.grab().bgra) for _ in range(6)] == [0, 0, 1, 1, 2, 2]
    with pytest.raises(WindowLost):
        source.grab()
    assert np.array_equal(synthetic.paint(3, (64, 48)), synthetic.paint(3, (64, 48)))
