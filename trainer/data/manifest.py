"""A frozen dataset: `datasets/<id>/manifest.json`, holding values, so that it means the same as long as it exists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from db.clock import Int64
from db.errors import BadFile, NotFound, TooNew
from db.files import replace_text
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.actions import ActionTrack
from db.recording.corrections import Overlay, corrections_of, read_correction
from db.recording.events import ActorKind
from db.recording.reader import Recording
from db.specs import ActionSpace, ClipSpec, Spec
from db.store import Store
from trainer.data.choice import Choice
from trainer.scoring.metrics import Bools

NAME = "manifest.json"
FORMAT = 3

Split = Literal["train", "calibration", "held-out"]
SPLITS: tuple[Split, ...] = ("train", "calibration", "held-out")
SplitBy = Literal["group", "game", "player"]
Source = Literal["all", "human", "imputed"]
"""Whose actions: what people did, what a model imputed, or both."""


class Stretch(Spec):
    """Frames [start, stop) with what was said of them: an instruction's text, or why nothing is learnt there."""

    start: Annotated[int, Field(ge=0)]
    stop: Annotated[int, Field(ge=1)]
    text: str


class Imputation(Spec):
    """Where the actions of a session without inputs come from."""

    model: str
    """The IDM's id."""
    min_confidence: float
    """Of a tick's least sure key; what lies below is not known."""
    track: str
    """SHA-256 of the stored track, confidences included; see `trainer.data.imputed`."""


class Item(Spec):
    """One session as it was when the dataset was frozen."""

    session_id: str
    revision: int
    group_id: str
    game: str
    player: str
    split: Split
    ticks: int
    """Frames that a model sees: those of `clock.ticks(clip.rate_hz)`."""
    learnable_ticks: int
    instructions: tuple[Stretch, ...]
    """Ordered by start; the one that started last is in force where several overlap."""
    masked: tuple[Stretch, ...]
    """Flags and trims: context, never a target."""
    actions_digest: str
    """Of the actions resolved at the ticks, corrections applied."""
    corrected: tuple[Stretch, ...] = ()
    """Corrections of the actions (`db.recording.corrections`, as JSON) in the order in which they apply. Since format 2."""
    imputed: Imputation | None = None
    """None where a person's actions were recorded, or confirmed. Since format 3."""

    @property
    def corrections(self) -> list[Overlay]:
        return [Overlay(s.start, s.stop, read_correction(s.text)) for s in self.corrected]


class KeyCount(Spec):
    """How much of one key there is to learn from."""

    code: int
    train_share: float
    train_presses: int
    held_out_presses: int


class Manifest(Spec):
    """The whole dataset. `hash` covers everything but the id and the time it was made."""

    format: int = FORMAT
    id: str
    created_at: str
    clip: ClipSpec
    space: ActionSpace
    split_by: SplitBy
    held_out_share: float
    seed: int
    items: tuple[Item, ...]
    hours: dict[Split, float]
    """Of what people did and can be learnt; so are `keys`."""
    keys: tuple[KeyCount, ...]
    warnings: tuple[str, ...]
    hash: str = ""
    choice: Choice | None = None
    """What was asked of the sessions; None before format 3."""
    games: dict[str, float] = Field(default_factory=dict)
    """Hours of what people did by game, all splits together. Since format 3."""
    imputed_hours: float = 0.0
    """Of what a model imputed and is sure enough of; all of it is in the training split. Since format 3."""

    def content_hash(self) -> str:
        """SHA-256 of what is learnt and how it is split; the same sessions and options always give the same."""
        values = self.model_dump(mode="json", exclude={"id", "created_at", "hash"})
        for item in values["items"] if self.format < 3 else ():
            del item["imputed"]
            if self.format < 2:
                del item["corrected"]
        for name in ("choice", "games", "imputed_hours") if self.format < 3 else ():
            del values[name]
        return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def of(self, split: Split, source: Source = "all") -> list[Item]:
        """The items of a split, of all or of one source."""
        wanted = {"all": (True, False), "human": (False,), "imputed": (True,)}[source]
        return [item for item in self.items if item.split == split and (item.imputed is not None) in wanted]


def write_manifest(store: Store, manifest: Manifest) -> Path:
    """Writes the dataset's folder and returns it."""
    folder = store.datasets_dir / manifest.id
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / NAME, manifest.model_dump_json(indent=1) + "\n")
    return folder


def read_manifest(store: Store, dataset_id: str) -> Manifest:
    """Raises NotFound (naming what there is), TooNew, or BadFile where the file is damaged or was edited."""
    path = store.datasets_dir / dataset_id / NAME
    if not dataset_id or Path(dataset_id).name != dataset_id or not path.is_file():
        known = sorted(folder.parent.name for folder in store.datasets_dir.glob(f"*/{NAME}"))
        there = f"there are: {', '.join(known)}" if known else "make one with `playtape-train dataset`"
        raise NotFound(f"There is no dataset {dataset_id!r}; {there}.")
    try:
        text = path.read_text(encoding="utf-8")
        written = _Header.model_validate_json(text).format
        if written > FORMAT:
            raise TooNew(f"{path} has format {written}, this Playtape reads up to {FORMAT}; update Playtape to use it.")
        manifest = Manifest.model_validate_json(text)
    except (OSError, ValueError, ValidationError) as error:
        raise BadFile(f"{path} is damaged ({str(error).splitlines()[0]}); freeze the dataset again.") from None
    if manifest.hash != manifest.content_hash():
        raise BadFile(f"{path} was changed after it was frozen; freeze the dataset again.")
    return manifest


class _Header(BaseModel):
    format: int = 1


def latest_dataset(store: Store) -> str:
    """The id of the newest dataset. Raises NotFound where there is none."""
    known = sorted(folder.parent.name for folder in store.datasets_dir.glob(f"*/{NAME}"))
    if not known:
        raise NotFound("There is no dataset yet; make one with `playtape-train dataset`.")
    return known[-1]


def instruction_stretches(edits: list[Edit]) -> tuple[Stretch, ...]:
    """The instructions in force, suggestions left out, ordered by start."""
    found = [edit for edit in spans(edits, LabelKind.INSTRUCTION) if not edit.suggested]
    return tuple(_stretch(edit, edit.value) for edit in found)


def masked_stretches(edits: list[Edit], choice: Choice | None = None) -> tuple[Stretch, ...]:
    """What is not learnt from: flagged (as chosen; by default with any flag) or trimmed off."""
    texts = {LabelKind.FLAG: "flag: {}", LabelKind.TRIM: "trim"}
    found = [edit for edit in spans(edits) if edit.kind in texts and not edit.suggested]
    if choice is not None:
        found = [edit for edit in found if edit.kind is LabelKind.TRIM or choice.masks(edit.value)]
    return tuple(_stretch(edit, texts[edit.kind].format(edit.value)) for edit in found)


def corrected_stretches(edits: list[Edit]) -> tuple[Stretch, ...]:
    """The corrections of actions in force. Raises BadArgument for one that cannot be read."""
    overlays = corrections_of(spans(edits))
    return tuple(Stretch(start=o.start, stop=o.stop, text=o.correction.model_dump_json()) for o in overlays)


def _stretch(edit: Edit, text: str) -> Stretch:
    assert edit.start is not None
    assert edit.stop is not None
    return Stretch(start=edit.start, stop=edit.stop, text=text)


def resolve_ticks(
    recording: Recording, clip: ClipSpec, corrections: Sequence[Overlay] = ()
) -> tuple[Int64, ActionTrack]:
    """The frames a model sees, (T,), and the actions between them: their times and the stop are the edges."""
    ticks, edges_ns = tick_edges(recording, clip)
    return ticks, recording.resolve(edges_ns, corrections=corrections)


def tick_edges(recording: Recording, clip: ClipSpec) -> tuple[Int64, Int64]:
    """The frames a model sees, (T,), and the edges of their intervals, (T + 1,)."""
    clock = recording.clock
    ticks = clock.ticks(clip.rate_hz)
    return ticks, np.append(clock.t_ns[ticks], np.int64(clock.t_stop_ns))


def learnable(track: ActionTrack, recording: Recording) -> Bools:
    """(T,): where the inputs are known and a person or a script, and no model, was in control.

    In a session that a model played, a person is in control from an action of theirs until the model acts again, and for
    no longer than a second after their last action: what nobody did there was the model's choice.
    """
    known = track.known.copy()
    model = ActorKind.MODEL.bit
    if all(actor.kind is not ActorKind.MODEL for actor in recording.meta.actors):
        return known
    until_ns = np.int64(0)
    for i, bits in enumerate(track.actors):
        if bits & model:
            until_ns = np.int64(0)
        elif bits:
            until_ns = track.edges_ns[i + 1] + 10**9
        known[i] &= bool(not bits & model and track.edges_ns[i] < until_ns)
    return known


def unmasked(masked: Sequence[Stretch], ticks: Int64, known: Bools, frame_count: int) -> Bools:
    """(T,): `known` without every interval that reaches into a masked stretch of frames."""
    stops = np.append(ticks[1:], frame_count)
    keep = known.copy()
    for stretch in masked:
        keep &= (stops <= stretch.start) | (ticks >= stretch.stop)
    return keep
