"""Over videos of any make the picture shown is the frame whose index is shown, with the proxy and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from annotator.model.video.proxy import Proxy
from annotator.model.video.proxy_writer import make
from annotator.ui.watch.player import Player
from db.media.videoreader import VideoReader
from films import B_FRAMES, FILMS, Film
from watchers import Watcher

OpenFilm = Callable[..., Watcher]


@pytest.fixture
def open_film(store, qtbot) -> Iterator[OpenFilm]:
    """open_film(film, seed=, cache_bytes=, has_proxy=) -> a Watcher of it."""
    players: list[Player] = []

    def open_(film: Film, seed: int = 0, cache_bytes: int = 2**24, has_proxy: bool = False) -> Watcher:
        recording = store.recording(film.record(store))
        proxy = None
        if has_proxy:
            proxy = Proxy(store.cache_dir, recording)
            assert make(proxy, recording, store.root, 2**40)
        players.append(Player(recording.clock, recording.video, cache_bytes, proxy))
        watcher = Watcher(players[-1], seed)
        players[-1].seek(0)
        watcher.rest()
        return watcher

    yield open_
    for player in players:
        player.close()


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("has_proxy", [False, True])
def test_every_picture_is_the_frame_it_is_shown_as(open_film, name, has_proxy) -> None:
    watcher = open_film(FILMS[name], has_proxy=has_proxy)
    watcher.do(12)
    assert watcher.wrong == []
    assert watcher.complaints == []
    assert (watcher.drafts > 0) is has_proxy


@pytest.mark.parametrize("cache_bytes", [1, 60_000])
def test_with_hardly_any_cache_and_one_keyframe(open_film, cache_bytes) -> None:
    watcher = open_film(Film(count=240, gop=10_000, options=B_FRAMES), seed=1, cache_bytes=cache_bytes)
    watcher.do(20)
    assert watcher.wrong == []
    assert watcher.complaints == []


def test_one_that_shows_its_neighbours_is_caught(store, qtbot) -> None:
    """The check itself: a table whose times are one frame late gives pictures that are."""
    recording = store.recording(Film(count=90).record(store))
    late = recording.frames.copy()
    late["pts"][:-1] = recording.frames["pts"][1:]
    late["pts"][-1] += 33

    def open_late() -> VideoReader:
        return VideoReader(recording.folder, recording.meta.segments, late)

    player = Player(recording.clock, open_late)
    watcher = Watcher(player)
    player.seek(10)
    watcher.rest()
    player.close()
    assert watcher.wrong == [(10, 11)]


def test_a_draft_is_replaced_by_the_true_picture_where_one_stays(open_film, qtbot) -> None:
    watcher = open_film(Film(count=240, gop=10_000), has_proxy=True)
    player = watcher.player
    qtbot.waitUntil(lambda: player.is_true)
    player.seek(200)
    qtbot.waitUntil(lambda: player.is_settled)
    qtbot.waitUntil(lambda: player.is_true)
    assert player.index == 200
    player.play(1.0)
    qtbot.waitUntil(lambda: player.index > 202 and not player.is_true)
    player.pause()
    stays = player.index
    qtbot.waitUntil(lambda: player.is_true)
    assert player.index == stays
    assert watcher.wrong == []


def test_a_proxy_that_is_damaged_is_given_up_for_the_video(store, open_film, qtbot) -> None:
    watcher = open_film(Film(count=240), has_proxy=True)
    (path,) = store.cache_dir.rglob("video-000.mkv")
    path.write_bytes(b"no video")
    watcher.player.close()
    session_id = store.search()[0].id
    recording = store.recording(session_id)
    player = Player(recording.clock, recording.video, draft=Proxy(store.cache_dir, recording))
    try:
        again = Watcher(player)
        player.seek(100)
        again.rest()
        assert player.is_true
        again.do(10)
        assert (again.wrong, again.complaints, again.drafts) == ([], [], 0)
        assert not path.exists()
    finally:
        player.close()


def test_backward_all_frames_are_shown_in_turn(open_film, qtbot) -> None:
    watcher = open_film(Film(count=90))
    seen: list[int] = []
    watcher.player.seek(89)
    watcher.rest()
    watcher.player.displayed.connect(lambda index: seen.append(index))
    watcher.player.play(-0.5)
    qtbot.waitUntil(lambda: watcher.player.index <= 70, timeout=20_000)
    watcher.player.pause()
    assert seen == sorted(seen, reverse=True)
    assert watcher.wrong == []


@pytest.mark.parametrize("direction", [1, -1])
def test_a_loop_is_played_round_and_round(open_film, qtbot, direction) -> None:
    watcher = open_film(Film(count=120))
    player = watcher.player
    seen: list[int] = []
    player.set_loop(range(40, 46))
    player.displayed.connect(lambda index: seen.append(index))
    player.play(direction * 4.0)
    begins = 40 if direction > 0 else 45
    qtbot.waitUntil(lambda: seen.count(begins) >= 3)
    assert set(seen) <= set(range(40, 46))
    assert player.loop == range(40, 46)
    player.seek(80)
    assert player.loop is None
    qtbot.waitUntil(lambda: (player.index - 80) * direction > 0 and player.index not in range(40, 46))
    player.pause()
    watcher.rest()
    assert watcher.wrong == []
