"""Whatever is asked for and however fast: the picture on screen is the frame whose index is shown."""

from __future__ import annotations

import random

import pytest

from annotator.ui.watch.player import Player


@pytest.fixture
def open_player(store, make_session, read_barcode, qtbot):
    """open_player(**session) -> (player, shown), where `shown` collects (index, barcode) of every picture."""
    players: list[Player] = []

    def open_(cache_bytes: int = 2**26, **session):
        recording = store.recording(make_session(store, **session))
        player = Player(recording.clock, recording.video, cache_bytes)
        players.append(player)
        shown: list[tuple[int, int]] = []
        player.displayed.connect(lambda index, image: shown.append((index, read_barcode(image))))
        player.seek(0)
        qtbot.waitUntil(lambda: player.is_settled)
        return player, shown

    yield open_
    for player in players:
        player.close()


@pytest.mark.parametrize("variable", [False, True])
@pytest.mark.parametrize("cache_bytes", [1, 2**26])
def test_random_seeks_steps_and_play_show_what_they_say(open_player, qtbot, variable, cache_bytes) -> None:
    player, shown = open_player(cache_bytes, count=150, variable=variable, segment_s=2.0)
    pick = random.Random(3)
    for _ in range(60):
        doing = pick.choice(["seek", "step", "seconds", "play", "burst"])
        if doing == "seek":
            player.seek(pick.randrange(-5, 160))
        elif doing == "step":
            player.step(pick.choice([-3, -1, 1, 2]))
        elif doing == "seconds":
            player.step_seconds(pick.choice([-1, 1]))
        elif doing == "burst":
            for _ in range(10):
                player.seek(pick.randrange(150))
        else:
            before = len(shown)
            player.play(pick.choice([-2.0, 0.5, 1.0, 8.0]))
            qtbot.waitUntil(lambda count=before: len(shown) > count or not player.is_playing)
            player.pause()
        if pick.random() < 0.6:
            qtbot.waitUntil(lambda: player.is_settled)
            assert shown[-1] == (player.target, player.target)
    qtbot.waitUntil(lambda: player.is_settled)
    assert all(index == burnt for index, burnt in shown)


def test_playing_ends_on_the_last_frame_and_starts_over(open_player, qtbot) -> None:
    player, shown = open_player(count=40)
    player.play(8.0)
    qtbot.waitUntil(lambda: not player.is_playing)
    qtbot.waitUntil(lambda: player.is_settled)
    assert player.index == 39
    indices = [index for index, _ in shown]
    assert indices == sorted(indices)
    player.toggle()
    qtbot.waitUntil(lambda: 0 < player.index < 39 or not player.is_playing)
    assert min(index for index, _ in shown[len(indices) :]) < 39


def test_playing_backwards_ends_on_the_first(open_player, qtbot) -> None:
    player, _ = open_player(count=40)
    player.seek(39)
    player.shuttle(-1)
    player.shuttle(-1)
    assert player.speed == -2.0
    player.shuttle(1)
    assert player.speed == -1.0
    player.shuttle(1)
    assert player.speed == 1.0
    player.play(-8.0)
    qtbot.waitUntil(lambda: not player.is_playing and player.is_settled)
    assert player.index == 0


def test_pausing_stays_on_what_is_seen(open_player, qtbot) -> None:
    player, shown = open_player(count=90)
    player.play(2.0)
    qtbot.waitUntil(lambda: player.index > 5)
    seen = player.index
    player.pause()
    assert player.target == seen
    qtbot.waitUntil(lambda: player.is_settled)
    assert shown[-1][0] == seen


def test_a_step_back_within_a_group_decodes_nothing_again(open_player, qtbot) -> None:
    player, _ = open_player(count=90)
    player.seek(45)
    qtbot.waitUntil(lambda: player.is_settled)
    for frame in (44, 43, 42):
        decoded = player._decoder.frames_decoded
        player.seek(frame)
        qtbot.waitUntil(lambda: player.is_settled)
        assert decoded in (0, player._decoder.frames_decoded) or player._decoder.is_busy


def test_missing_video_is_a_sentence(store, make_session, qtbot) -> None:
    session_id = make_session(store, count=30)
    recording = store.recording(session_id)
    (store.session_folder(session_id) / "video-000.mkv").unlink()
    player = Player(recording.clock, recording.video)
    try:
        with qtbot.waitSignal(player.failed) as caught:
            player.seek(3)
        assert "video-000.mkv" in caught.args[0]
    finally:
        player.close()
