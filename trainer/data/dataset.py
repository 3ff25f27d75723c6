"""Freezes a dataset from the sessions that were chosen, and checks that it still says what it said."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from db.errors import BadArgument, BadFile, NotFound, PlaytapeError, TooNew, Withdrawn
from db.labelling.labels import spans
from db.library.catalogue import SessionSummary
from db.recording.actions import ActionTrack
from db.recording.corrections import corrections_of
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn
from trainer.data.balance import Described, Tally, count_keys, hours_by_game, hours_by_split, warn
from trainer.data.choice import Choice, chosen_sessions, chosen_videos
from trainer.data.imputed import Imputes, digest_of, stored_track, track_path, write_track
from trainer.data.manifest import (
    Imputation,
    Item,
    Manifest,
    Source,
    Split,
    SplitBy,
    corrected_stretches,
    instruction_stretches,
    learnable,
    masked_stretches,
    resolve_ticks,
    tick_edges,
    unmasked,
    write_manifest,
)
from trainer.data.space import fit_space

Found = TypeVar("Found", Described, Tally)

CALIBRATION_SHARE = 0.12
"""Of the hours, for tuning thresholds and choosing the best checkpoint; taken from what is not held out."""


def freeze(
    store: Store,
    *,
    clip: ClipSpec,
    choice: Choice | None = None,
    held_out_share: float = 0.2,
    by: SplitBy = "group",
    seed: int = 0,
    imputer: Imputes | None = None,
) -> Manifest:
    """A dataset of the sessions that were chosen (by default all accepted ones), written to the library.

    imputer: also takes sessions without inputs, all of them to train on, with the actions that it imputes. How the others
    are split does not depend on that. Raises BadArgument where there is too little to split, NotFound where nothing fits.
    """
    choice = choice or Choice()
    warnings: list[str] = []
    candidates = gather(store, choice, warnings, lambda summary: describe(store, summary.id, clip, choice))
    if not candidates:
        raise NotFound(nothing_fits(choice))
    splits = split_items([c.item for c in candidates], held_out_share, by, seed)
    candidates = [replace(c, item=c.item.model_copy(update={"split": splits[unit_of(c.item, by)]})) for c in candidates]
    videos = _impute(store, choice, clip, by, splits, imputer, warnings) if imputer is not None else []
    space = _fit(candidates, videos)
    tallies = [candidate.tally() for candidate in candidates]
    now = datetime.now(UTC)
    manifest = Manifest(
        id=f"{now:%Y%m%d-%H%M%S-%f}"[:19],
        created_at=now.isoformat(),
        clip=clip,
        space=space,
        split_by=by,
        held_out_share=held_out_share,
        seed=seed,
        items=tuple(c.item for c in (*candidates, *videos)),
        hours=hours_by_split(tallies),
        keys=count_keys(tallies, space),
        warnings=(*warnings, *warn(tallies, clip.rate_hz)),
        choice=choice,
        games=hours_by_game(tallies),
        imputed_hours=round(sum(video.tally().seconds for video in videos) / 3600, 4),
    )
    manifest = manifest.model_copy(update={"hash": manifest.content_hash()})
    for video in videos:
        write_track(track_path(store, manifest.id, video.item.session_id, digest_of(video.track)), video.track)
    write_manifest(store, manifest)
    return manifest


def gather(store: Store, choice: Choice, warnings: list[str], look: Callable[[SessionSummary], Found]) -> list[Found]:
    """What `look` finds of every chosen session that has anything to learn from; the others are told in `warnings`."""
    found = []
    for summary in chosen_sessions(store, choice):
        try:
            one = look(summary)
        except (BadFile, TooNew) as error:
            warnings.append(f"Session {summary.id} is left out: {error}")
            continue
        if one.item.learnable_ticks:
            found.append(one)
        else:
            warnings.append(
                f"Session {summary.id} is left out: nothing in it can be learnt (masked, or inputs unknown)."
            )
    return found


def split_items(items: Sequence[Item], held_out_share: float, by: SplitBy, seed: int) -> dict[str, Split]:
    """The split of each item's unit (`unit_of`). Raises BadArgument where there is too little."""
    if not 0 < held_out_share < 1:
        raise BadArgument("--held-out-share must lie between 0 and 1.")
    sizes = [(unit_of(item, by), item.learnable_ticks) for item in items]
    games = {unit_of(item, by): item.game for item in sorted(items, key=lambda item: item.game, reverse=True)}
    return split_groups(sizes, held_out_share, seed, by, games)


def nothing_fits(choice: Choice) -> str:
    """Why there is no dataset, and what to do."""
    if asked := choice.sentence():
        accepted = "accepted " if choice.review == "accepted" else ""
        return f"No {accepted}session fits ({asked}); ask for less, or accept some in the annotator first."
    if choice.review == "accepted":
        return "No session is accepted yet; accept some in the annotator first."
    return "There is no session to learn from yet; record some first."


def split_groups(
    sizes: Sequence[tuple[str, int]],
    held_out_share: float,
    seed: int,
    by: str = "group",
    games: Mapping[str, str] | None = None,
) -> dict[str, Split]:
    """Each group's split. Groups never straddle; at least one is held out and one trained on.

    Groups are drawn in an order that only the seed and the names decide, one game after another in turn, and held out
    while that brings the share of ticks closer to the one wanted; then the same for calibration, which stays empty with
    fewer than four groups. The last group of a game is trained on. games: of each group. Raises BadArgument with fewer
    than two groups.
    """
    weight: Counter[str] = Counter()
    for group, ticks in sizes:
        weight[group] += ticks
    if len(weight) < 2:
        raise BadArgument(
            f"All accepted sessions belong to one {by}; a held-out split needs at least two. Record and accept another."
        )
    order = sorted(weight)
    random.Random(seed).shuffle(order)
    order, last = _in_turn(order, games or {})
    total = sum(weight.values())
    splits: dict[str, Split] = {}
    shares: tuple[tuple[Split, float, int], ...] = (
        ("held-out", held_out_share, 2),
        ("calibration", CALIBRATION_SHARE, 3),  # with two groups left, both are needed for training
    )
    for split, share, least in shares:
        goal, taken = share * total, 0
        free = [group for group in order if group not in splits]
        for group in free:
            if group in last:
                continue
            if len(order) - len(splits) >= least and abs(taken + weight[group] - goal) < abs(taken - goal):
                splits[group], taken = split, taken + weight[group]
        if not taken and len(free) >= least:
            nearest = min((abs(weight[group] - goal), group) for group in free)
            splits[nearest[1]] = split
    return splits | {group: "train" for group in order if group not in splits}


def _in_turn(order: list[str], games: Mapping[str, str]) -> tuple[list[str], set[str]]:
    """The same groups, one game after another in turn, and the last of each game. Where no game has two, all are one game."""
    by_game: dict[str, list[str]] = {}
    for group in order:
        by_game.setdefault(games.get(group, ""), []).append(group)
    if all(len(groups) == 1 for groups in by_game.values()):
        by_game = {"": order}
    turns = zip_longest(*by_game.values())
    return [group for turn in turns for group in turn if group is not None], {of[-1] for of in by_game.values()}


def verify(store: Store, manifest: Manifest, items: Sequence[Item] | None = None) -> None:
    """Raises BadFile where a session is gone, was taken back by its player, was redacted or resolves to other actions than when it was frozen."""
    for item in manifest.items if items is None else items:
        try:
            refuse_withdrawn(store, item.session_id)
            recording = store.recording(item.session_id)
        except Withdrawn as error:
            raise BadFile(f"Dataset {manifest.id} cannot be used any more; freeze a new one. {error}") from None
        except PlaytapeError as error:
            raise BadFile(
                f"Dataset {manifest.id} needs session {item.session_id}, which cannot be read: {error}"
            ) from None
        if recording.meta.revision != item.revision:
            raise BadFile(
                f"Session {item.session_id} was changed (revision {recording.meta.revision}, frozen at {item.revision}); "
                f"freeze a new dataset."
            )
        if item.imputed is not None:
            track = stored_track(store, manifest.id, item)
            is_same = np.array_equal(track.edges_ns, tick_edges(recording, manifest.clip)[1])
        else:
            ticks, track = resolve_ticks(recording, manifest.clip, item.corrections)
            is_same = len(ticks) == item.ticks and track.digest() == item.actions_digest
        if not is_same:
            raise BadFile(
                f"The actions of session {item.session_id} are not those of dataset {manifest.id}; freeze a new one."
            )


def unit_of(item: Item, by: SplitBy) -> str:
    """What never straddles the splits: the name of its group, game or player."""
    return {"group": item.group_id, "game": item.game, "player": item.player}[by]


def describe(
    store: Store,
    session_id: str,
    clip: ClipSpec,
    choice: Choice | None = None,
    imputed: tuple[Imputation, ActionTrack] | None = None,
) -> Described:
    """A session's values as they are now, its split not yet decided.

    imputed: what takes the place of the recorded actions. Raises NotFound, BadFile, TooNew.
    """
    recording = store.recording(session_id)
    edits = store.edits(session_id)
    clock, meta = recording.clock, recording.meta
    if imputed is None:
        ticks, track = resolve_ticks(recording, clip, corrections_of(spans(edits)))
        known = learnable(track, recording)
    else:
        ticks, track = clock.ticks(clip.rate_hz), imputed[1]
        known = track.known
    masked = masked_stretches(edits, choice)
    known = unmasked(masked, ticks, known, len(clock))
    item = Item(
        session_id=session_id,
        revision=meta.revision,
        group_id=meta.group_id,
        game=meta.game,
        player=meta.player,
        split="train",
        ticks=len(ticks),
        learnable_ticks=int(known.sum()),
        instructions=instruction_stretches(edits),
        masked=masked,
        actions_digest=track.digest(),
        corrected=corrected_stretches(edits) if imputed is None else (),
        imputed=imputed[0] if imputed is not None else None,
    )
    return Described(item, ticks, track, known, len(clock) / (clock.duration_ns / 1e9))


def _impute(
    store: Store,
    choice: Choice,
    clip: ClipSpec,
    by: SplitBy,
    splits: dict[str, Split],
    imputer: Imputes,
    warnings: list[str],
) -> list[Described]:
    """Every chosen session without inputs, as the model sees it; none that belongs to what is held out."""
    videos = []
    for summary in chosen_videos(store, choice):
        plain = describe(store, summary.id, clip, choice)
        if plain.learnable.any():  # somebody confirmed its actions, and that counts
            continue
        if splits.get(unit_of(plain.item, by), "train") != "train":
            warnings.append(f"Session {summary.id} is left out: its {by} is held out, or tuned on.")
            continue
        try:
            track = imputer.track(store, summary.id, clip)
        except BadArgument as error:
            warnings.append(f"Session {summary.id} is left out: {error}")
            continue
        source = Imputation(model=imputer.model, min_confidence=imputer.min_confidence, track=digest_of(track))
        video = describe(store, summary.id, clip, choice, (source, track))
        if video.learnable.any():
            videos.append(video)
        else:
            warnings.append(f"Session {summary.id} is left out: {imputer.model} is nowhere sure enough of it.")
    return videos


def _fit(candidates: Sequence[Described], videos: Sequence[Described]) -> ActionSpace:
    """The keys of all that is trained on, and mouse bins of what people did."""
    train = [c for c in candidates if c.item.split == "train"]
    used = set().union(*(c.used for c in (*train, *videos)))
    return fit_space(sorted(used), np.concatenate([c.track.motion[c.learnable] for c in train]))


def require_split(manifest: Manifest, split: Split, source: Source = "human") -> list[Item]:
    """The items of a split: of what people did, unless asked otherwise. Raises NotFound where it is empty."""
    items = manifest.of(split, source)
    if not items:
        what = "" if source == "all" else f" with {source} actions"
        raise NotFound(f"Dataset {manifest.id} has no {split} split{what}.")
    return items
