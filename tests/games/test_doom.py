"""The game in its own window: the engine's account of what reached it equals what was injected, event by event."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from Xlib.display import Display

from games.demonstrator import Demonstrator
from games.engine import LOOK, LOOK_DEG_PER_PX, SIZE_PX, TURN_DEG_PER_PX, Doom, turned_deg
from games.hand import Hand
from games.injector import BTN_LEFT, Injector
from games.instructions import Instruction
from games.scenarios import ARENA, CENTER, CORRIDOR, COVER, RANGE, Scenario
from games.window import list_windows
from games.witness import changes_of, compare, motions_of, read_rows
from games.xserver import XServer


@pytest.fixture(scope="module")
def server() -> Iterator[XServer]:
    with XServer(window_manager=True) as server:
        yield server


def _start(server: XServer, log: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "games.doom", "--display", server.display, "--log", str(log), *options]
    folder = Path(__file__).parents[1]
    return subprocess.Popen(
        command, cwd=folder, env=server.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _read_answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def test_exercise_is_witnessed_exactly(server: XServer, tmp_path: Path) -> None:
    process = _start(server, tmp_path, "--scenario", "range", "--actor", "exercise", "--count", "200", "--seed", "7")
    with process:
        ready = _read_answer(process)
        assert ready["ready"]
        assert tuple(ready["size_px"]) == SIZE_PX
        process.communicate("\n", timeout=60)
    assert process.returncode == 0
    injections, tics = read_rows(tmp_path / "injections.jsonl"), read_rows(tmp_path / "tics.jsonl")
    account = compare(changes_of(injections), motions_of(injections), tics)
    assert account.changes >= 200
    assert account.motions >= 100
    assert account.exact, account
    numbers = [row["number"] for row in tics if row["kind"] == "tic"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert tics[-1]["kind"] == "end"


def test_waits_for_the_go_and_ends_at_sigterm(server: XServer, tmp_path: Path) -> None:
    go = tmp_path / "go"
    options = ("--actor", "none", "--instruction", "turn left", "--go", str(go))
    with _start(server, tmp_path, *options) as process:
        title = _read_answer(process)["window_title"]
        connection = Display(server.display)
        assert title in {window.title for window in list_windows(connection)}
        assert not (tmp_path / "instructions.jsonl").read_text()
        go.touch()
        while not (tmp_path / "instructions.jsonl").read_text():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        assert title not in {window.title for window in list_windows(connection)}
        connection.close()
    assert process.returncode == 0
    assert json.loads(out)["done"]
    given = read_rows(tmp_path / "instructions.jsonl")[0]
    assert (given["text"], given["canonical"]) == ("turn left", "turn left")


def test_motion_is_not_clipped_at_the_edge_of_the_screen(server: XServer, tmp_path: Path) -> None:
    with Doom(RANGE, server.display, tmp_path) as game, Injector(server.display) as injector:
        before = game.step()
        for i in range(60):
            injector.move(100 + i % 2, -1)
            after = game.step()
        turned_px = 0.0
        while (tic := game.step()).angle_deg != after.angle_deg:
            after = tic
        turned_px = turned_deg(before.angle_deg, after.angle_deg) / TURN_DEG_PER_PX
    full_turn_px = 360 / TURN_DEG_PER_PX
    assert (turned_px - 60 * 100.5) % full_turn_px == pytest.approx(0, abs=0.01)
    assert after.pitch_deg - before.pitch_deg == pytest.approx(-60 * LOOK_DEG_PER_PX, abs=0.01)


def test_arena_has_monsters_and_medkits_and_begins_again(server: XServer, tmp_path: Path) -> None:
    with Doom(ARENA, server.display, tmp_path, seed=4) as game, Hand(server.display) as hand:
        tic = game.step()
        while len(tic.things["monsters"]) < ARENA.monsters:
            assert tic.number < 200
            tic = game.step()
        assert tic.things["medkits"]
        player = Demonstrator(ARENA, seed=4)
        while tic.kills == 0:
            assert tic.number < 700
            hand.follow(player.decide(tic, Instruction("shoot the monsters", "shoot")), tic.number)
            tic = game.step()
        assert BTN_LEFT in {row.code for row in hand.ledger}
        game.restart()
        again = game.step()
        assert (again.episode, again.kills) == (tic.episode + 1, tic.kills)
        assert again.episode_tic < tic.episode_tic


@pytest.mark.parametrize("scenario", [CENTER, CORRIDOR, COVER], ids=lambda scenario: scenario.name)
def test_things_of_every_noun_are_there(server: XServer, tmp_path: Path, scenario: Scenario) -> None:
    missing = set(scenario.nouns)
    with Doom(scenario, server.display, tmp_path, seed=4) as game:
        while missing:
            tic = game.step()
            assert tic.number < 700
            missing -= {noun for noun, things in tic.things.items() if things}
        assert (LOOK.name in tic.action) == scenario.look
        west, south, east, north = scenario.floor
        assert west - 100 < tic.x < east
        assert south - 5 < tic.y < north + 5
