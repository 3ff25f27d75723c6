"""The places of the game: which of ViZDoom's own scenario maps, what is changed in it, and what can be asked for there.

Each is one open room or corridor in which every one of its instructions can be followed at any moment. Only the picture
and the instruction decide what is right there. They differ in looks, in what is in them and in what is done.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Box = tuple[int, int, int, int]
"""West, south, east and north edge in Doom's map units."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One map of ViZDoom's wheel with its rules.

    ``nouns`` says which classes of things an instruction's noun means here. ``monsters`` of class ``monster`` are kept
    alive: a new one appears within ``nest``; 0 monsters leave the map as its makers made it. ``floor`` is where one can
    stand. ``look`` says whether vertical mouse motion moves the view (without it the game ignores that motion).
    ``episode_s`` is how long an episode lasts; 0: for ever; who comes to ``goal_x`` ends it before. ``instructions`` are
    those that can be given here, by their short names in ``games.instructions``. Where there are ``targets``, three nouns with
    one class each, play is one trial after the other (``games.trials``) of at most ``trial_s``, and each target's noun is also
    the short name of the instruction to go to it.
    """

    name: str
    map_file: str
    nouns: Mapping[str, frozenset[str]]
    floor: Box
    instructions: tuple[str, ...]
    episode_s: float
    look: bool
    start_commands: tuple[str, ...]
    monster: str = ""
    monsters: int = 0
    nest: Box = (0, 0, 0, 0)
    skill: int = 3
    goal_x: float = math.inf
    targets: tuple[str, ...] = ()
    trial_s: float = 0.0


# A player who cannot die follows one instruction for as long as it stands: "buddha" keeps the last point of health,
# while the floor still burns, so that medkits (refused by a player in full health) can always be picked up.
# "notarget" keeps monsters calm until they are shot at: standing still then stays the same picture.
ARMED = ("buddha", "notarget", "give Chaingun", "give Clip 200", "use Chaingun")

ARENA = Scenario(
    name="arena",
    map_file="health_gathering.wad",
    nouns={"monsters": frozenset({"Demon"}), "medkits": frozenset({"Medikit"})},
    floor=(0, 0, 1216, 1216),
    instructions=("shoot", "collect", "turn left", "turn right", "stand still", "walk backwards", "dodge"),
    episode_s=45.0,
    look=False,
    start_commands=ARMED,
    monster="Demon",
    monsters=7,
    nest=(110, 110, 1106, 1106),
)

# The same room without monsters or an end, with the view free in both axes: every injected event reaches the game and
# nothing but injected events moves the player. The witness test plays here.
RANGE = Scenario(
    name="range",
    map_file="health_gathering.wad",
    nouns={"monsters": frozenset({"Demon"}), "medkits": frozenset({"Medikit"})},
    floor=(0, 0, 1216, 1216),
    instructions=ARENA.instructions,
    episode_s=0.0,
    look=True,
    start_commands=ARMED,
)

# A round yard under the sky. Marines with chainsaws and demons come from all sides; who falls comes back.
CENTER = Scenario(
    name="center",
    map_file="defend_the_center.wad",
    nouns={"monsters": frozenset({"Demon", "MarineChainsawVzd"})},
    floor=(-560, -560, 560, 560),
    instructions=("shoot", "turn left", "turn right", "look up", "look down", "stand still", "dodge"),
    episode_s=45.0,
    look=True,
    start_commands=("buddha",),
)

# A long stone corridor with soldiers in its niches and a vest at its east end. The player begins between both ends.
CORRIDOR = Scenario(
    name="corridor",
    map_file="deadly_corridor.wad",
    nouns={"monsters": frozenset({"ShotgunGuy", "ChaingunGuy", "Zombieman"}), "vest": frozenset({"GreenArmor"})},
    floor=(0, -15, 1300, 15),
    instructions=("vest", "return", "shoot", "open", "look down", "stand still", "walk backwards"),
    episode_s=45.0,
    look=True,
    start_commands=("buddha", "notarget", "give Shotgun", "give Shell 50", "use Shotgun", "warp 400 0"),
    skill=1,
    goal_x=1260.0,
)

# A wide hall with ever more imps along its far wall, who throw fireballs; the player has room to step aside. The map lets
# none of them fall.
COVER = Scenario(
    name="cover",
    map_file="take_cover.wad",
    nouns={"monsters": frozenset({"DoomImp"}), "fireballs": frozenset({"DoomImpBall"})},
    floor=(-430, 20, 40, 748),
    instructions=("evade", "shoot", "go left", "go right", "approach", "stand still", "walk backwards"),
    episode_s=45.0,
    look=False,
    start_commands=("buddha", "give Chaingun", "give Clip 200", "use Chaingun"),
)

# An empty room with three targets before the player, in an order that chance decides: nothing but the words that are given
# says to which of them to go.
BUTTONS = Scenario(
    name="buttons",
    map_file="simpler_basic.wad",
    nouns={
        "red pillar": frozenset({"TallRedColumn"}),
        "green pillar": frozenset({"TallGreenColumn"}),
        "blue torch": frozenset({"BlueTorch"}),
    },
    floor=(-368, -176, 48, 240),
    instructions=("red pillar", "green pillar", "blue torch"),
    episode_s=0.0,
    look=False,
    start_commands=("buddha", "notarget", "remove Cacodemon"),
    targets=("red pillar", "green pillar", "blue torch"),
    trial_s=8.0,
)

SCENARIOS = {scenario.name: scenario for scenario in (ARENA, RANGE, CENTER, CORRIDOR, COVER, BUTTONS)}
