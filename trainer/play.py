"""A policy that plays: it takes pictures as they come and says what to do until the next one."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import torch
from pydantic import Field, ValidationError
from torch import Tensor

from db.errors import BadArgument
from db.specs import Spec
from trainer.data.augment import to_unit
from trainer.models import Card, Loaded
from trainer.nets.p2p import P2P, P2PState
from trainer.nets.policy import Policy, PolicyState

KeyChoice = Literal["sample", "threshold"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to hold, and how far to move in device counts, until the next picture."""

    down: tuple[int, ...]
    dx: float
    dy: float
    infer_ns: int


class Sampling(Spec):
    """How actions are drawn from what a policy says."""

    keys: KeyChoice = "sample"
    """Drawn from their probabilities, or pressed at and above the model's thresholds."""
    temperature: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0
    """Of what is drawn; 0 takes the likeliest."""
    steadiness: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """The correlation of the draws of one tick and the next; 0 draws each afresh."""


def read_sampling(asked: Mapping[str, Any], usual: Sampling | None = None) -> Sampling:
    """`usual` but for what is asked. Raises BadArgument with what is wrong of it."""
    try:
        return Sampling.model_validate((usual or Sampling()).model_dump() | dict(asked))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadArgument(f"--{'.'.join(map(str, first['loc']))} cannot be so: {first['msg'].lower()}.") from None


class Player(Protocol):
    """One client's history: it is told what to do, sees pictures, and decides."""

    @property
    def sampling(self) -> dict[str, Any]:
        """How it draws, as far as that is for it to choose."""

    @property
    def frame_bytes(self) -> int:
        """The size of one picture."""

    def instruct(self, text: str) -> None:
        """The instruction from now on; encoded once."""

    def reset(self) -> None:
        """Forgets every picture; the instruction stays."""

    def see(self, raw: bytes | bytearray) -> Decision:
        """Decides on one picture, raw RGB rows (H, W, 3) of `frame_bytes` bytes, in one pass of the model."""


def open_player(loaded: Loaded, sampling: Sampling | None = None, *, seed: int = 0) -> Player:
    """A fresh history for any policy. A transformer draws whole actions: `keys` and `steadiness` are not for it."""
    chosen = sampling or Sampling()
    if isinstance(loaded.net, P2P):
        return SlotStream(loaded, temperature=chosen.temperature, seed=seed)
    return Stream(loaded, **chosen.model_dump(), seed=seed)


class SlotStream:
    """A Pixels2Play policy's history: it draws an action slot by slot, and is told in the next frame what it did."""

    def __init__(self, loaded: Loaded, *, temperature: float = 1.0, seed: int = 0) -> None:
        """temperature: of what is drawn; 0 takes the likeliest of every slot."""
        assert isinstance(loaded.net, P2P)
        self._net, self._card, self._device = loaded.net, loaded.card, loaded.device
        self._temperature = temperature
        self._generator = torch.Generator(device=self._device).manual_seed(seed)
        self._state = P2PState()
        self._text: Tensor
        self.instruct("")

    @property
    def sampling(self) -> dict[str, Any]:
        return {"temperature": self._temperature}

    @property
    def frame_bytes(self) -> int:
        return _frame_bytes(self._card)

    def instruct(self, text: str) -> None:
        with torch.inference_mode():
            self._text = self._net.encode_texts([text])

    def reset(self) -> None:
        self._state = P2PState()

    def see(self, raw: bytes | bytearray) -> Decision:
        began_ns = time.perf_counter_ns()
        with torch.inference_mode():
            latent, state = self._net.see(_to_frame(raw, self._card, self._device), self._text, self._state)
            tokens = self._net.draw(latent, self._temperature, self._generator)
            pressed, dx, dy = (part[0].cpu() for part in self._net.layout.decode(tokens))
            infer_ns = time.perf_counter_ns() - began_ns
            self._state = self._net.tell(tokens[0], state)
        space = self._card.space
        held = tuple(code for code, is_down in zip(space.codes, pressed.tolist(), strict=True) if is_down)
        return Decision(held, space.dx_values[int(dx)], space.dy_values[int(dy)], infer_ns)


class Stream:
    """One client's history. Pictures of `card.clip.size_px` come at `card.clip.rate_hz`.

    What is drawn follows the model's probabilities in every picture, but the draws of one second resemble each other:
    where the model finds left and right equally good, it goes one way for a while and does not tremble.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        keys: KeyChoice = "sample",
        temperature: float = 1.0,
        steadiness: float = 0.9,
        seed: int = 0,
    ) -> None:
        """keys: drawn from their probabilities, or pressed at and above the model's thresholds.

        temperature: of what is drawn; 0 takes the likeliest bin of the mouse. steadiness: the correlation of the draws of
        one tick and the next, in [0, 1); 0 draws each afresh.
        """
        assert 0 <= steadiness < 1, "draws that never change are no draws"
        assert isinstance(loaded.net, Policy)
        self._net, self._card, self._device = loaded.net, loaded.card, loaded.device
        self._keys, self._temperature, self._steadiness = keys, temperature, steadiness
        self._rng = np.random.default_rng(seed)
        self._moods = self._rng.standard_normal(len(self._card.space.codes) + 2)
        self._state: PolicyState | None = None
        self._text: Tensor
        self.instruct("")

    @property
    def sampling(self) -> dict[str, Any]:
        return {"keys": self._keys, "temperature": self._temperature, "steadiness": self._steadiness}

    @property
    def frame_bytes(self) -> int:
        """The size of one picture."""
        return _frame_bytes(self._card)

    def instruct(self, text: str) -> None:
        """The instruction from now on; encoded once."""
        with torch.inference_mode():
            self._text = self._net.encode_texts([text])

    def reset(self) -> None:
        """Forgets every picture; the instruction stays."""
        self._state = None

    def see(self, raw: bytes | bytearray) -> Decision:
        """Decides on one picture, raw RGB rows (H, W, 3) of `frame_bytes` bytes, in one pass of the encoder."""
        began_ns = time.perf_counter_ns()
        with torch.inference_mode():
            frame = _to_frame(raw, self._card, self._device)
            outputs, self._state = self._net.step(frame, self._text, self._state)
        keys, across, down = (logits[0].cpu() for logits in (outputs.keys, outputs.dx, outputs.dy))
        chance = self._next_chances()
        pressed = self._press(keys, chance[2:])
        space = self._card.space
        dx = space.dx_values[self._draw(across, chance[0])]
        dy = space.dy_values[self._draw(down, chance[1])]
        held = tuple(code for code, is_down in zip(space.codes, pressed, strict=True) if is_down)
        return Decision(held, dx, dy, time.perf_counter_ns() - began_ns)

    def _next_chances(self) -> np.ndarray:
        """A number in [0, 1] for each axis and each key: uniform in the long run, but each close to the one before."""
        fresh = self._rng.standard_normal(len(self._moods))
        self._moods = self._steadiness * self._moods + math.sqrt(1 - self._steadiness**2) * fresh
        return np.array([0.5 * (1 + math.erf(mood / math.sqrt(2))) for mood in self._moods])

    def _press(self, logits: Tensor, chance: np.ndarray) -> np.ndarray:
        if self._keys == "threshold" or self._temperature == 0:
            return np.asarray(torch.sigmoid(logits).numpy() >= np.asarray(self._card.thresholds, np.float32))
        probability = torch.sigmoid(logits / self._temperature).numpy()
        return np.asarray(chance < probability)

    def _draw(self, logits: Tensor, chance: float) -> int:
        """The bin in which the distribution function passes `chance`: bins are ordered, so like chances give like bins."""
        if self._temperature == 0:
            return int(logits.argmax())
        share = (logits.double() / self._temperature).softmax(dim=-1).numpy()
        return min(int(np.searchsorted(np.cumsum(share), chance, side="right")), len(share) - 1)


def _frame_bytes(card: Card) -> int:
    width, height = card.clip.size_px
    return width * height * 3


def _to_frame(raw: bytes | bytearray, card: Card, device: torch.device) -> Tensor:
    """Raw RGB rows -> (1, 3, H, W) in [0, 1]."""
    width, height = card.clip.size_px
    picture = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(1, height, width, 3)
    return to_unit(picture.to(device))
