"""Who acted in a session that comes in again: what a model did must never be learnt as a person's.

Formats that tell it do so row by row, by the bits of `ActionTrack.actors`. A row in which several acted counts as the model's, or the
script's: of it nobody knows what the person did.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.recording.events import Actor, ActorKind

Bits = NDArray[np.uint8]
_KINDS = (ActorKind.PERSON, ActorKind.SCRIPT, ActorKind.MODEL)
_LONGEST_NAME, _MOST = 200, 64


def bits_of(words: Iterable[str]) -> Bits:
    """(N,) of texts such as `person+model`; words that name nobody count for nothing."""
    known = {kind.value: kind.bit for kind in _KINDS}
    found: dict[str, int] = {}
    for said in (words := list(words)):
        if said not in found:
            found[said] = sum(known.get(word, 0) for word in set(said.split("+")[:8]))
    return np.array([found[said] for said in words], np.uint8)


def list_actors(seen: int, player: str, told: Any = None) -> tuple[Actor, ...]:
    """Those of a session: of each kind whose bit was seen one. told: what our notes say of them, from `tell_actors`."""
    names = {actor.kind: actor.name for actor in reversed(read_actors(told))} | {ActorKind.PERSON: player}
    return tuple(Actor(kind=kind, name=names.get(kind, "")) for kind in _KINDS if seen & kind.bit)


def places_of(bits: Bits, actors: tuple[Actor, ...]) -> Bits:
    """(N,) the position in `actors` of who acted in each row; 0 where nobody did."""
    place = {actor.kind: number for number, actor in enumerate(actors)}
    table = np.zeros(256, np.uint8)
    for kind in _KINDS:  # the last of those that acted counts
        table[np.flatnonzero(np.arange(256) & kind.bit)] = place.get(kind, 0)
    return np.asarray(table[bits])


def tell_actors(actors: Iterable[Actor]) -> list[list[str]]:
    """For our notes beside an export: kind and name of each."""
    return [[actor.kind.value, actor.name] for actor in actors]


def read_actors(told: Any) -> list[Actor]:
    """The same back from a file that may be a stranger's; what is no such thing is left out."""
    found = []
    for each in told[:_MOST] if isinstance(told, list) else ():
        if (
            isinstance(each, list)
            and len(each) == 2
            and all(isinstance(word, str) for word in each)
            and each[0] in list(_KINDS)
        ):
            found.append(Actor(kind=ActorKind(each[0]), name=each[1][:_LONGEST_NAME]))
    return found
