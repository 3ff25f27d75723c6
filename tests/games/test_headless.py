"""The game without a window is the game in its window: the same pictures, the same answers to input, the same trials."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import mss
import numpy as np
import pytest
from vizdoom import Mode, ScreenFormat
from Xlib.display import Display

from db.specs import ClipSpec
from games.adapter import DELAY_TICS, DoomEpisodes
from games.engine import KEY_W, LOOK_DEG_PER_PX, SIZE_PX, TURN_DEG_PER_PX, Doom, Engine, _init, configure, turned_deg
from games.hand import Hand
from games.headless import HeadlessDoom
from games.instructions import NOTHING, Instruction
from games.rounds import Rounds
from games.scenarios import BUTTONS, CENTER, RANGE
from games.window import list_windows
from games.xserver import XServer

CLIP = ClipSpec(size_px=(96, 72), rate_hz=15)


@pytest.fixture(scope="module")
def buttons() -> Iterator[DoomEpisodes]:
    game = DoomEpisodes(BUTTONS, CLIP)
    yield game
    game.close()


def test_its_pictures_are_the_windows_bit_for_bit(tmp_path: Path) -> None:
    game = configure(CENTER, tmp_path, 3, SIZE_PX)
    game.set_mode(Mode.PLAYER)
    game.set_screen_format(ScreenFormat.BGRA32)
    with XServer(window_manager=True) as server:
        _init(game, server.display)
        connection = Display(server.display)
        while not (found := [w for w in list_windows(connection) if w.wm_class.lower() == "vizdoom"]):
            time.sleep(0.02)
        window = found[0]
        place = dict(zip(("left", "top", "width", "height"), (window.x_px, window.y_px, *SIZE_PX), strict=True))
        with mss.MSS(display=server.display) as screen:
            for _ in range(3):
                for _ in range(5):
                    game.make_action([0.0] * 6 + [9.0, 0.0])
                picture = np.asarray(game.get_state().screen_buffer)[..., :3]
                deadline_s = time.monotonic() + 20
                while not np.array_equal(np.array(screen.grab(place))[..., :3], picture):
                    assert time.monotonic() < deadline_s, "the window never shows what the engine says it shows"
        game.close()
        connection.close()


def test_keys_and_motion_do_what_they_do_in_the_window(tmp_path: Path) -> None:
    with HeadlessDoom(RANGE, tmp_path) as game:
        game.begin(1)
        before = game.step()
        after = game.step(dx_px=101, dy_px=-37)
        assert turned_deg(before.angle_deg, after.angle_deg) / TURN_DEG_PER_PX == pytest.approx(101, abs=0.01)
        assert after.pitch_deg - before.pitch_deg == pytest.approx(-37 * LOOK_DEG_PER_PX, abs=0.01)
        for _ in range(10):
            walked = game.step({KEY_W})
        assert (walked.x, walked.y) != (after.x, after.y)
        assert walked.action["MOVE_FORWARD"] == 1
        assert walked.t_ns > before.t_ns


def test_a_seed_says_all_that_happens(buttons: DoomEpisodes) -> None:
    def play(seed: int) -> str:
        digest = hashlib.sha256(buttons.reset(seed, "go to the blue torch").tobytes())
        for tick in range(12):
            step = buttons.step(frozenset({KEY_W} if tick % 3 else ()), 4.0 * tick, 0.0)
            digest.update(step.picture.tobytes())
        return digest.hexdigest()

    assert play(1) == play(1) != play(2)


def test_what_is_decided_acts_later_and_all_of_it(buttons: DoomEpisodes) -> None:
    buttons.reset(3, "go to the blue torch")
    first = buttons._tic
    buttons.step(frozenset(), 90.0, 0.0)
    assert buttons._tic.number - first.number == 2, "35 tics a second at 15 Hz: 2, 2, 3, ..."
    assert turned_deg(first.angle_deg, buttons._tic.angle_deg) / TURN_DEG_PER_PX == pytest.approx(
        90 * (2 - DELAY_TICS) / 2, abs=0.1
    )
    buttons.step(frozenset(), 0.0, 0.0)
    assert turned_deg(first.angle_deg, buttons._tic.angle_deg) / TURN_DEG_PER_PX == pytest.approx(90, abs=0.1)
    for _ in range(13):
        buttons.step(frozenset(), 0.0, 0.0)
    assert buttons._tic.number - first.number == 35


def test_the_demonstrator_goes_where_the_words_say_and_nowhere_without(buttons: DoomEpisodes) -> None:
    places = set()
    for seed, task in enumerate(buttons.tasks * 2):
        buttons.reset(seed, task.instruction)
        nearest = {noun: things[0].id for noun, things in buttons._tic.things.items()}
        places.add(tuple(sorted(nearest, key=lambda noun: nearest[noun])))
        step = buttons.demonstrate()
        while not step.done:
            step = buttons.demonstrate()
        assert (step.score, step.outcome) == (100.0, task.instruction)
    assert len(places) > 1, "they stand in another order each time"
    buttons.reset(1, buttons.tasks[0].instruction)
    step = buttons.step(frozenset(), 0.0, 0.0)
    while not step.done:
        step = buttons.step(frozenset(), 0.0, 0.0)
    assert (step.score, step.outcome) == (0.0, "")
    assert buttons._tic.number - buttons._first.number == BUTTONS.trial_s * 35


def test_one_trial_follows_the_other_in_the_window(tmp_path: Path) -> None:
    asked = [Instruction("go to the red pillar", "red pillar"), Instruction("touch the blue torch", "blue torch")]
    given, rows = iter(asked), []  # type: ignore[var-annotated]
    with (
        XServer(window_manager=True) as server,
        Doom(BUTTONS, server.display, tmp_path, seed=2) as game,
        Hand(server.display) as hand,
    ):
        assert isinstance(game, Engine)
        rounds = Rounds(game, lambda: next(given), rows.append)
        from games.demonstrator import Demonstrator

        player, heard = Demonstrator(BUTTONS, seed=2), set()
        while len(rows) < 2:
            tic = game.step()
            assert tic.number < 1200
            instruction = rounds.follow(tic)
            heard.add(instruction)
            hand.follow(player.decide(tic, instruction), tic.number)
    assert [(row["canonical"], row["reached"]) for row in rows] == [(text.canonical,) * 2 for text in asked]
    assert heard == {NOTHING, *asked}
    assert rows[1]["start_ns"] > rows[0]["stop_ns"]
