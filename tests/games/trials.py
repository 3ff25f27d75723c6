"""Trials: targets put before the player in an order that chance decides, of which an instruction names one."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from games.scenarios import Scenario

if TYPE_CHECKING:  # the engine holds a trial
    from games.engine import Thing, Tic

START_UNITS = 130.0
"""How far behind the middle of the floor the player stands."""
BEARINGS_DEG = (-32.0, 0.0, 32.0)
"""Where the targets stand, counted to the left from where the view faces; all of them are in the picture."""
TURNED_DEG, SHIFTED_DEG = 7.0, 4.0
"""By how much all of them together, and each alone, may stand elsewhere."""
NEAREST_UNITS, FARTHEST_UNITS = 250.0, 290.0
TOUCH_UNITS = 56.0
"""Two bodies of radius 16 can come as near as 32 units side by side, 46 corner to corner."""
_AHEAD_UNITS = 46.0
"""So far before the player "summon" puts a thing."""
_PATIENCE_TICS = 8


class Trial:
    """One setting of the targets, in map units, made from a scenario's ``targets``.

    The console can only summon in front of the player, so the player is there and back within one tic, which no picture shows.
    """

    def __init__(self, scenario: Scenario, source: random.Random, angle_deg: float) -> None:
        """angle_deg: where the view faces, which stays."""
        self._scenario = scenario
        west, south, east, north = scenario.floor
        facing = math.radians(angle_deg)
        start_x = round((west + east) / 2 - START_UNITS * math.cos(facing))
        start_y = round((south + north) / 2 - START_UNITS * math.sin(facing))
        order = source.sample(scenario.targets, len(scenario.targets))
        turned_deg = source.uniform(-TURNED_DEG, TURNED_DEG)
        back = f"warp {start_x} {start_y}"
        classes = {noun: next(iter(scenario.nouns[noun])) for noun in order}
        self._commands = ["; ".join([*(f"remove {name}" for name in classes.values()), back])]
        for noun, bearing_deg in zip(order, BEARINGS_DEG, strict=True):
            off_deg = bearing_deg + turned_deg + source.uniform(-SHIFTED_DEG, SHIFTED_DEG)
            way, far = facing + math.radians(off_deg), source.uniform(NEAREST_UNITS, FARTHEST_UNITS)
            x = start_x + far * math.cos(way) - _AHEAD_UNITS * math.cos(facing)
            y = start_y + far * math.sin(way) - _AHEAD_UNITS * math.sin(facing)
            self._commands.append(f"warp {round(x)} {round(y)}; summon {classes[noun]}; {back}")
        self._left = deque(self._commands)
        self._waited = 0

    def next_command(self, things: Mapping[str, tuple[Thing, ...]]) -> str:
        """What the console is to be told after this tic; empty where nothing is to be done."""
        if self._left:
            return self._left.popleft()
        if not self.is_set(things):
            self._waited += 1
            if self._waited > _PATIENCE_TICS:  # something stood in the way
                self._left, self._waited = deque(self._commands), 0
        return ""

    def is_set(self, things: Mapping[str, tuple[Thing, ...]]) -> bool:
        """Whether every target stands there, once."""
        return not self._left and all(len(things[noun]) == 1 for noun in self._scenario.targets)

    def reached(self, tic: Tic) -> str:
        """The noun of the target that the player has come to; empty if none."""
        for noun in self._scenario.targets:
            if any(math.dist((tic.x, tic.y), (thing.x, thing.y)) < TOUCH_UNITS for thing in tic.things[noun]):
                return noun
        return ""
