"""Actions as Pixels2Play's tokens: keys in a few slots, the mouse's two axes, buttons in a few slots.

A slot holds the number of a key in its vocabulary, or 0 for none; the keys that are down fill the slots in the order of
the vocabulary. A vocabulary is fitted to the data, and so is the number of slots: what a person did is never cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from db.recording.keys import is_button
from db.specs import ActionSpace


@dataclass(frozen=True)
class Layout:
    """The tokens of one action: `key_slots` keys, dx, dy, `button_slots` buttons. S is their number."""

    space: ActionSpace
    key_slots: int
    button_slots: int

    @property
    def keys(self) -> tuple[int, ...]:
        """Columns of the action space that are keys of a keyboard."""
        return tuple(i for i, code in enumerate(self.space.codes) if not is_button(code))

    @property
    def buttons(self) -> tuple[int, ...]:
        return tuple(i for i, code in enumerate(self.space.codes) if is_button(code))

    @property
    def classes(self) -> tuple[int, ...]:
        """(S,) how many classes each slot has."""
        mouse = (len(self.space.dx_values), len(self.space.dy_values))
        return (
            *[len(self.keys) + 1] * self.key_slots,
            *mouse,
            *[len(self.buttons) + 1] * self.button_slots,
        )

    def __len__(self) -> int:
        return self.key_slots + 2 + self.button_slots

    def encode(self, keys: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
        """keys (..., K) in {0, 1}, dx and dy (...) bins -> (..., S) tokens."""
        parts = [
            _fill(keys[..., self.keys], self.key_slots),
            dx[..., None],
            dy[..., None],
            _fill(keys[..., self.buttons], self.button_slots),
        ]
        return torch.cat(parts, dim=-1)

    def decode(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(..., S) -> keys (..., K) bool, dx (...), dy (...). A key that stands in two slots is down once."""
        pressed = torch.zeros(*tokens.shape[:-1], len(self.space.codes), dtype=torch.bool, device=tokens.device)
        _press(pressed, tokens[..., : self.key_slots], self.keys)
        _press(pressed, tokens[..., self.key_slots + 2 :], self.buttons)
        return pressed, tokens[..., self.key_slots], tokens[..., self.key_slots + 1]

    def pressed_shares(self, shares: Sequence[Tensor]) -> Tensor:
        """Per slot (..., classes) -> (..., K): how likely each key stands in any slot, were the slots independent."""
        up = shares[0].new_ones(*shares[0].shape[:-1], len(self.space.codes))
        for columns, slots in ((self.keys, shares[: self.key_slots]), (self.buttons, shares[self.key_slots + 2 :])):
            for share in slots:
                up[..., columns] = up[..., columns] * (1 - share[..., 1:])
        return 1 - up


def fit_slots(keys: Tensor, space: ActionSpace, least: tuple[int, int], most: int = 10) -> tuple[int, int]:
    """Slots for keys and for buttons that hold all that was down at once in keys (N, K); at least so many.

    More than `most` at once is a keyboard's fault or a person's elbow, and is cut there.
    """
    layout = Layout(space, *least)
    counts = [
        int(keys[:, columns].sum(dim=1).max()) if columns and len(keys) else 0
        for columns in (layout.keys, layout.buttons)
    ]
    return min(max(least[0], counts[0]), most), min(max(least[1], counts[1]), most)


def _fill(down: Tensor, slots: int) -> Tensor:
    """(..., V) in {0, 1} -> (..., slots): the numbers from 1 of what is down, ascending, then 0."""
    count = down.shape[-1]
    if count == 0:
        return torch.zeros(*down.shape[:-1], slots, dtype=torch.long, device=down.device)
    numbers = torch.arange(1, count + 1, device=down.device)
    ranked = torch.where(down > 0, numbers, count + 1).sort(dim=-1).values[..., :slots]
    ranked = torch.where(ranked > count, 0, ranked)
    return torch.nn.functional.pad(ranked, (0, slots - ranked.shape[-1]))


def _press(pressed: Tensor, tokens: Tensor, columns: Sequence[int]) -> None:
    if not columns:
        return
    lookup = torch.tensor(columns, device=tokens.device)
    for slot in tokens.unbind(dim=-1):
        there = slot > 0
        at = lookup[(slot - 1).clamp(min=0)]
        pressed.scatter_(-1, at[..., None], pressed.gather(-1, at[..., None]) | there[..., None])
