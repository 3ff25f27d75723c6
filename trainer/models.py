"""Trained models: `models/<id>/` with the weights (safetensors) and a card that says all that is needed to use them."""

from __future__ import annotations

import contextlib
import math
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, Field, ValidationError, model_validator
from safetensors.torch import save_file
from torch import Tensor, nn

from db.errors import BadArgument, BadFile, DiskFull, NotFound, StoreReadOnly, TooNew
from db.specs import ActionSpace, ClipSpec, Spec
from db.store import Store
from trainer.configs import AnyConfig, IdmConfig, ModelConfig, P2PConfig, VptConfig
from trainer.data.manifest import Manifest, Source
from trainer.nets.idm import Idm
from trainer.nets.p2p import P2P
from trainer.nets.policy import Policy
from trainer.nets.sentences import Sentences
from trainer.nets.text import SentenceEncoder
from trainer.nets.vpt import Vpt
from trainer.scoring.baselines import Marginal
from trainer.weights import first_line, read_tensors, read_text, refuse_escape

CARD_NAME, WEIGHTS_NAME = "model.json", "model.safetensors"
FORMAT = 2

Model = Idm | Vpt | Policy | P2P


class MarginalCard(Spec):
    """The training frequencies, so that a model can be scored beside them anywhere."""

    keys: tuple[float, ...]
    dx: tuple[float, ...]
    dy: tuple[float, ...]
    motion: tuple[float, float]

    @classmethod
    def of(cls, marginal: Marginal) -> MarginalCard:
        dx, dy = (tuple(map(float, share)) for share in marginal.bins)
        motion = float(marginal.motion[0]), float(marginal.motion[1])
        return cls(keys=tuple(map(float, marginal.keys)), dx=dx, dy=dy, motion=motion)

    def marginal(self) -> Marginal:
        keys, dx, dy, motion = (np.asarray(v, np.float32) for v in (self.keys, self.dx, self.dy, self.motion))
        return Marginal(keys, (dx, dy), motion)


class Lesson(Spec):
    """A training that a model's weights went through before the one that its card is about."""

    model: str
    dataset_id: str
    dataset_hash: str
    train_on: Source
    steps: int
    best_step: int


class Card(Spec):
    """What a model is, what it was trained on, and what was measured of it."""

    format: int = FORMAT
    id: str
    config: AnyConfig
    clip: ClipSpec
    space: ActionSpace
    dataset_id: str
    dataset_hash: str
    run_id: str
    seed: int
    steps: int
    best_step: int
    created_at: str
    parameters: int = 0
    """How many numbers were trained."""
    thresholds: tuple[float, ...]
    """Per key, tuned on the calibration split: at and above it the key counts as pressed."""
    marginal: MarginalCard
    figures: dict[str, float | None] = Field(default_factory=dict)
    """Measured on the calibration split."""
    train_on: Source = "all"
    """Whose actions it was trained on in the end. Since format 2."""
    history: tuple[Lesson, ...] = ()
    """What its weights learnt before, oldest first. Since format 2."""

    @model_validator(mode="after")
    def _check(self) -> Card:
        """What a model says must be of one piece before any of it is built."""
        space, marginal = self.space, self.marginal
        wanted = len(space.codes), len(space.codes), len(space.dx_values), len(space.dy_values)
        if (len(self.thresholds), len(marginal.keys), len(marginal.dx), len(marginal.dy)) != wanted:
            raise ValueError("thresholds and marginals are of another action space")
        edges = (*space.dx_edges, *space.dy_edges, *space.dx_values, *space.dy_values)
        numbers = (*edges, *self.thresholds, *marginal.keys, *marginal.dx, *marginal.dy, *marginal.motion)
        if not all(map(math.isfinite, numbers)):
            raise ValueError("a number is not finite")
        return self

    @property
    def kind(self) -> str:
        return self.config.kind

    @property
    def history_with_itself(self) -> tuple[Lesson, ...]:
        """What a model learnt before that goes on from this one."""
        own = {name: getattr(self, name) for name in Lesson.model_fields if name != "model"}
        return (*self.history, Lesson(model=self.id, **own))


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model ready for use: evaluation mode, no gradients."""

    card: Card
    net: Model
    device: torch.device


def build(config: ModelConfig, clip: ClipSpec, space: ActionSpace) -> Model:
    """A fresh model; its weights come from torch's generator."""
    if isinstance(config, IdmConfig):
        return Idm(config, clip, space)
    if isinstance(config, VptConfig):
        return Vpt(config, clip, space)
    if isinstance(config, P2PConfig):
        return P2P(config, clip, space)
    return Policy(config, clip, space)


def save_model(store: Store, card: Card, weights: Mapping[str, Tensor]) -> Path:
    """Writes `models/<id>/`, whole or not at all. Raises DiskFull, StoreReadOnly."""
    target = store.models_dir / card.id
    partial = store.models_dir / f".{card.id}.{uuid.uuid4().hex}.partial"
    try:
        partial.mkdir(parents=True)
        save_file({name: value.detach().cpu().contiguous() for name, value in weights.items()}, partial / WEIGHTS_NAME)
        (partial / CARD_NAME).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)
    except OSError as error:
        raise _write_error(target, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def read_card(store: Store, model_id: str) -> Card:
    """Raises NotFound (naming what there is), TooNew, BadFile."""
    path = store.models_dir / model_id / CARD_NAME
    if not model_id or Path(model_id).name != model_id or not path.is_file():
        known = sorted(card.parent.name for card in store.models_dir.glob(f"[!.]*/{CARD_NAME}"))
        there = f"there are: {', '.join(known)}" if known else "train one with `playtape-train idm` or `policy`"
        raise NotFound(f"There is no model {model_id!r}; {there}.")
    refuse_escape(path, store.models_dir)
    try:
        text = read_text(path)
        written = _Header.model_validate_json(text).format
        if written > FORMAT:
            raise TooNew(f"{path} has format {written}, this Playtape reads up to {FORMAT}; update Playtape to use it.")
        card = Card.model_validate_json(text)
        if card.id != model_id:
            raise ValueError(f"it is of a model {card.id[:80]!r}")
    except (OSError, ValueError, ValidationError) as error:
        raise BadFile(f"{path} is damaged ({_reason(error)}); train the model again.") from None
    return card


def load_model(store: Store, model_id: str, device: torch.device | None = None) -> Loaded:
    """Raises NotFound, TooNew, BadFile."""
    card = read_card(store, model_id)
    path = store.models_dir / model_id / WEIGHTS_NAME
    place = device or torch.device("cpu")
    refuse_escape(path, store.models_dir)
    weights = read_tensors(path, _outline(card), "train the model again")
    net = build(card.config, card.clip, card.space)
    net.load_state_dict(weights)
    if (sentences := keep_sentences(net, store)) is not None:
        sentences.require()
    freeze_weights(net)
    return Loaded(card, net.to(place), place)


def read_origin(store: Store, model_id: str, kind: str, manifest: Manifest) -> Loaded:
    """A model to go on from with another training. Raises BadArgument where it does not fit, NotFound, TooNew, BadFile."""
    loaded = load_model(store, model_id)
    card = loaded.card
    if card.kind != kind:
        raise BadArgument(f"{model_id} is a {card.kind}; a {kind} can only go on from a {kind}.")
    if card.clip != manifest.clip or card.space != manifest.space:
        raise BadArgument(
            f"{model_id} sees other pictures or knows other keys than dataset {manifest.id}; "
            f"train it on that dataset, or go on with a dataset of the same sessions."
        )
    return loaded


def _outline(card: Card) -> dict[str, Tensor]:
    """Names, shapes and types of the weights of this model, without memory for them. Raises BadFile."""
    try:
        with torch.device("meta"):
            return build(card.config, card.clip, card.space).state_dict()
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError, AssertionError, MemoryError) as error:
        reason = first_line(error)
        raise BadFile(f"{card.id} describes no model that can be built ({reason}); train it again.") from None


def keep_sentences(net: Model, store: Store) -> Sentences | None:
    """Lets a model that reads with a frozen sentence encoder keep its vectors in the library; None for any other model."""
    text = getattr(net, "text", None)
    if not isinstance(text, SentenceEncoder):
        return None
    text.sentences.keep_in(store.cache_dir)
    return text.sentences


def freeze_weights(net: nn.Module) -> None:
    """For use, not for training."""
    net.eval()
    net.requires_grad_(False)


def choose_device(name: str) -> torch.device:
    """`auto` takes a CUDA device where there is one. Raises BadArgument for one that is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if not there.get(name, False):
        raise BadArgument(f"This machine has no {name} device that torch can use; leave out --device.")
    return torch.device(name)


def latest_model(store: Store, kind: str) -> str:
    """The id of the newest model of a kind. Raises NotFound."""
    cards = [card for card in _readable_cards(store) if card.kind == kind]
    if not cards:
        raise NotFound(f"There is no {kind} yet; train one with `playtape-train {kind}`.")
    return max(cards, key=lambda card: (card.created_at, card.id)).id


def _readable_cards(store: Store) -> Iterator[Card]:
    """One damaged model hides no other."""
    for path in store.models_dir.glob(f"[!.]*/{CARD_NAME}"):
        with contextlib.suppress(BadFile, TooNew):
            yield read_card(store, path.parent.name)


def _reason(error: Exception) -> str:
    """Where a card is wrong, and how."""
    if not isinstance(error, ValidationError):
        return first_line(error)
    wrong = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, [".".join(map(str, wrong["loc"])), first_line(ValueError(wrong["msg"]))]))


class _Header(BaseModel):
    format: int


def _write_error(path: Path, error: OSError) -> Exception:
    if error.errno == 28:
        return DiskFull("The disk is full; free some room and start again with --resume.")
    return StoreReadOnly(f"{path} cannot be written: {error.strerror}.")
