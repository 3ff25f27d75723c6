"""What people did while a model played: the stretches in which they had taken over, frozen beside the data it learnt from.

A correction is under one percent of what Pixels2Play learns from, and worth more than its length: it shows what to do where
the policy itself ends up. The policy's own stretches stay context (`trainer.data.manifest.learnable`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from db.errors import BadArgument, NotFound
from db.recording.events import ActorKind
from db.recording.keys import label
from db.specs import ActionSpace
from db.store import Store
from trainer.data.balance import Described
from trainer.data.choice import Choice, chosen_sessions
from trainer.data.clips import Take, windows
from trainer.data.dataset import describe, verify
from trainer.data.manifest import KeyCount, Manifest, write_manifest

DEFAULT_SHARE = 0.5
"""Of the clips that are learnt from, those of corrections."""


@dataclass(frozen=True)
class Corrections:
    """A dataset with corrections, and how much of it they are."""

    manifest: Manifest
    sessions: tuple[str, ...]
    seconds: float
    """What people did in them."""
    warnings: tuple[str, ...]


def freeze_corrections(
    store: Store, space: ActionSpace, before: Manifest, sessions: Sequence[str] | None = None
) -> Corrections:
    """The dataset `before` as it was frozen, what was imputed left out, and the corrections as further training sessions.

    space: the model's, which stays, so that it can go on from its weights. sessions: those to take; by default every one of
    the dataset's games in which a model played and a person took over, but for the rejected. What is held out stays what it
    was, so that a model can be scored on the same rows before and after. Raises NotFound where nobody took over, BadArgument
    for a session that no model played, BadFile where the dataset's sessions are not what was frozen.
    """
    items = tuple(item for item in before.items if item.imputed is None)
    verify(store, before, items)
    known = {item.session_id for item in items}
    games = sorted({item.game for item in items})
    offered = sessions if sessions is not None else [s.id for s in chosen_sessions(store, _any_of(games))]
    found = [
        describe(store, session_id, before.clip)
        for session_id in offered
        if session_id not in known and _was_played(store, session_id, is_asked=sessions is not None)
    ]
    found = [one for one in found if one.learnable.any()]
    if not found:
        raise NotFound(
            f"Nobody has taken over from a model in {' or '.join(games)} yet; let it play, and take over where it goes wrong."
        )
    seconds = sum(one.tally().seconds for one in found)
    now = datetime.now(UTC)
    warnings = _warn(found, space)
    manifest = before.model_copy(
        update={
            "id": f"{now:%Y%m%d-%H%M%S-%f}"[:19],
            "created_at": now.isoformat(),
            "format": Manifest.model_fields["format"].default,
            "space": space,
            "items": (*items, *(one.item for one in found)),
            "hours": before.hours | {"train": round(before.hours["train"] + seconds / 3600, 4)},
            "keys": _count(before, space, found, seconds),
            "games": _add_games(before, found),
            "warnings": (*before.warnings, *warnings),
            "imputed_hours": 0.0,
        }
    )
    manifest = manifest.model_copy(update={"hash": manifest.content_hash()})
    write_manifest(store, manifest)
    return Corrections(manifest, tuple(one.item.session_id for one in found), seconds, warnings)


def is_correction(take: Take) -> bool:
    """Whether a model played in it, so that what can be learnt of it is a person's correction."""
    return bool((take.actors & ActorKind.MODEL.bit).any())


def mix(takes: Sequence[Take], window: int, share: float) -> list[int]:
    """How often the clips of each take are met in an epoch, so that those of corrections make up about this share.

    Whole numbers, and at least 1: nothing is left out. Raises BadArgument where the share is not below 1.
    """
    if not 0 < share < 1:
        raise BadArgument("--share must lie between 0 and 1.")
    counts = np.zeros(len(takes), np.int64)
    for found in windows(takes, window, max(1, window // 2)):
        counts[found.take] += 1
    is_one = np.array([is_correction(take) for take in takes], np.bool_)
    corrections, others = int(counts[is_one].sum()), int(counts[~is_one].sum())
    if not corrections or not others:
        return [1] * len(takes)
    ratio = share / (1 - share) * others / corrections
    return [(max(1, round(ratio)) if one else max(1, round(1 / ratio))) for one in is_one.tolist()]


def _any_of(games: Sequence[str]) -> Choice:
    return Choice(games=tuple(games), review="any")


def _was_played(store: Store, session_id: str, *, is_asked: bool) -> bool:
    was = any(actor.kind is ActorKind.MODEL for actor in store.recording(session_id).meta.actors)
    if is_asked and not was:
        raise BadArgument(f"No model played in session {session_id}; what people record is frozen by `dataset`.")
    return was


def _warn(found: Sequence[Described], space: ActionSpace) -> tuple[str, ...]:
    unknown = sorted(set().union(*(one.used for one in found)) - set(space.codes))
    if not unknown:
        return ()
    names = ", ".join(label(code) for code in unknown)
    return (f"The model knows no {names}, which people pressed when they took over; it cannot learn them so.",)


def _count(before: Manifest, space: ActionSpace, found: Sequence[Described], seconds: float) -> tuple[KeyCount, ...]:
    """The dataset's counts with those of the corrections."""
    old = {key.code: key for key in before.keys}
    whole_s = before.hours["train"] * 3600 + seconds
    counts = []
    for code in space.codes:
        was = old.get(code, KeyCount(code=code, train_share=0.0, train_presses=0, held_out_presses=0))
        tallies = [one.tally() for one in found]
        down_s = sum(t.seconds * t.ticks_down.get(code, 0) / max(t.item.learnable_ticks, 1) for t in tallies)
        share = (was.train_share * before.hours["train"] * 3600 + down_s) / max(whole_s, 1e-9)
        presses = was.train_presses + sum(t.presses.get(code, 0) for t in tallies)
        counts.append(was.model_copy(update={"train_share": round(share, 4), "train_presses": presses}))
    return tuple(counts)


def _add_games(before: Manifest, found: Sequence[Described]) -> dict[str, float]:
    games = dict(before.games)
    for one in found:
        games[one.item.game] = round(games.get(one.item.game, 0.0) + one.tally().seconds / 3600, 4)
    return games
