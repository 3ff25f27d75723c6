"""The whole state of a training, in one safetensors file that is replaced atomically. No pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from db.errors import BadFile, DiskFull, NotFound, TooNew
from db.files import sync_folder
from db.specs import Spec
from trainer.training.world import shared_out
from trainer.weights import bytes_of, find_infinite, find_misfit, first_line, forms_of, refuse_escape

FORMAT = 1
_SLACK_BYTES = 16 * 2**20
_COPIES = 6
"""A checkpoint holds the weights, their averages and two moments; a file that says it holds more is another's."""


class Position(Spec):
    """Where a training was when it was saved."""

    step: Annotated[int, Field(ge=0, lt=2**53)]
    best_score: Annotated[float, Field(allow_inf_nan=False)] | None
    best_step: Annotated[int, Field(ge=0, lt=2**53)]
    skipped: Annotated[int, Field(ge=0, lt=2**53)]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Named tensors and what JSON can say."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under `prefix.`, by the rest of their names."""
        return {name[len(prefix) + 1 :]: value for name, value in self.tensors.items() if name.startswith(prefix + ".")}

    def position(self) -> Position:
        """Raises BadFile."""
        try:
            return Position.model_validate(self.facts, strict=True)
        except ValidationError as error:
            wrong = error.errors()[0]
            name = ".".join(map(str, wrong["loc"]))
            raise BadFile(f"The checkpoint is damaged ({name}: {wrong['msg']}); start a new run.") from None


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Replaces `path`: at any instant either the old or the new state is there. Raises DiskFull, BadFile."""
    fresh = path.with_name(path.name + ".new")
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    try:
        fresh.unlink(missing_ok=True)  # a link there would be written through
        save_file(plain, fresh, metadata={"facts": json.dumps(facts), "format": str(FORMAT)})
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except (OSError, SafetensorError) as error:
        fresh.unlink(missing_ok=True)
        if getattr(error, "errno", None) == 28 or "No space" in str(error):
            raise DiskFull("The disk is full; free some room and go on with --resume.") from None
        raise BadFile(f"{path} cannot be written: {error}.") from None


def load(path: Path, like: nn.Module | None = None) -> Checkpoint:
    """like: the model it is of, which bounds what is read. Raises NotFound, TooNew, BadFile."""
    if not path.is_file():
        raise NotFound(f"{path} is missing; the run was ended before it saved anything, start a new one.")
    refuse_escape(path, path.parent)
    size = path.stat().st_size
    if like is not None and size > _COPIES * bytes_of(like) + _SLACK_BYTES:
        raise BadFile(f"{path} is of another model ({size} bytes are too many); start a new run.")
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            written = int(said.get("format", "1"))
            if written > FORMAT:
                raise TooNew(
                    f"{path} has format {written}, this Playtape reads up to {FORMAT}; update Playtape to go on with it."
                )
            facts = json.loads(said.get("facts", "{}"))
            if not isinstance(facts, dict):
                raise ValueError("its facts are no object")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        raise BadFile(f"{path} is damaged ({first_line(error)}); start a new run.") from None
    return Checkpoint(tensors, facts)


def pack(net: nn.Module, averaged: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Weights (`net.`), averaged weights (`ema.`) and the optimiser's moments (`adam.<index>.<name>`)."""
    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
    tensors |= {f"ema.{name}": value for name, value in averaged.items()}
    for index, slots in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": torch.as_tensor(value) for name, value in slots.items()}
    return tensors


def unpack(checkpoint: Checkpoint, net: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Puts a packed state back and returns the averaged weights. Raises BadFile where it belongs to another model.

    All of it is checked before any of it is used.
    """
    weights, averaged, moments = (checkpoint.part(name) for name in ("net", "ema", "adam"))
    wanted = net.state_dict()
    for part, forms in ((weights, forms_of(wanted)), (averaged, forms_of(wanted)), (moments, None)):
        if wrong := find_misfit(forms_of(part), forms or _moment_forms(part, optimiser)):
            raise BadFile(f"The checkpoint does not fit this run ({wrong}); start a new run.")
        if wrong := find_infinite(part):
            raise BadFile(f"The checkpoint is damaged ({wrong} is not finite); start a new run.")
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in moments.items():
        index, slot = name.split(".", 1)
        state.setdefault(int(index), {})[slot] = value
    net.load_state_dict({name: shared_out(value, wanted[name]) for name, value in weights.items()})
    parameters = _parameters(optimiser)
    for number, held in state.items():
        held |= {name: shared_out(value, parameters[number]) for name, value in held.items() if value.ndim}
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return {name: shared_out(value, wanted[name]) for name, value in averaged.items()}


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [value for group in optimiser.param_groups for value in group["params"]]


def _moment_forms(moments: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> dict[str, tuple[Any, str]]:
    """What AdamW keeps of the parameters of which there is anything; those never used have nothing."""
    parameters = _parameters(optimiser)
    begun = {name.split(".", 1)[0] for name in moments}
    forms: dict[str, tuple[Any, str]] = {}
    for index, value in enumerate(parameters):
        if str(index) in begun:
            whole = tuple(value.shape)
            forms |= {
                f"{index}.step": ((), "F32"),
                f"{index}.exp_avg": (whole, "F32"),
                f"{index}.exp_avg_sq": (whole, "F32"),
            }
    return forms
