"""The places of the game: which of ViZDoom's own scenario maps, and what is changed in it.

The arena is one square room in which every instruction can be followed at any moment: monsters to shoot, medkits to
collect, space to turn, to walk and to stand in. Only the instruction decides what is right there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """One map of ViZDoom's wheel with its rules.

    ``monsters`` of class ``monster`` are kept alive in the square room (0, 0)-(``room_units``, ``room_units``), in
    Doom's map units; 0 monsters leave the map as its makers made it. ``look`` says whether vertical mouse motion moves
    the view (without it the game ignores that motion). ``episode_s`` is how long an episode lasts; 0: for ever.
    ``pickup`` is the class name of what gives health.
    """

    name: str
    map_file: str
    monster: str
    monsters: int
    pickup: str
    room_units: int
    episode_s: float
    look: bool
    start_commands: tuple[str, ...]
    skill: int = 3


# A player who cannot die follows one instruction for as long as it stands: "buddha" keeps the last point of health,
# while the floor still burns, so that medkits (refused by a player in full health) can always be picked up.
# "notarget" keeps monsters calm until they are shot at: standing still then stays the same picture.
ARMED = ("buddha", "notarget", "give Chaingun", "give Clip 200", "use Chaingun")

ARENA = Scenario(
    name="arena",
    map_file="health_gathering.wad",
    monster="Demon",
    monsters=7,
    pickup="Medikit",
    room_units=1216,
    episode_s=45.0,
    look=False,
    start_commands=ARMED,
)

# The same room without monsters or an end, with the view free in both axes: every injected event reaches the game and
# nothing but injected events moves the player. The witness test plays here.
RANGE = Scenario(
    name="range",
    map_file="health_gathering.wad",
    monster="Demon",
    monsters=0,
    pickup="Medikit",
    room_units=1216,
    episode_s=0.0,
    look=True,
    start_commands=ARMED,
)

SCENARIOS = {scenario.name: scenario for scenario in (ARENA, RANGE)}
