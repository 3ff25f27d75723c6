"""Training batches: which windows make up step n is a function of the seed and n alone, so that a run resumes exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from db.specs import ActionSpace
from trainer.configs import AugmentConfig
from trainer.data.augment import Draws, augment
from trainer.data.clips import Take, cut, windows
from trainer.data.space import bin_index, mirrored_codes
from trainer.data.wording import reword
from trainer.nets.heads import Targets
from trainer.nets.text import mirror_text
from trainer.training.world import World


@dataclass(frozen=True, eq=False)
class Batch:
    """B clips of T ticks."""

    frames: Tensor
    """(B, T, 3, H, W) float32 in [0, 1]."""
    targets: Targets
    watched: Tensor
    """(B, T) in {0, 1}: where `targets` says what was really done, be it to learn or not."""
    text_ids: Tensor
    """(B, T): indices into `texts`."""
    texts: tuple[str, ...]


def make_targets(
    keys: np.ndarray, motion: np.ndarray, known: np.ndarray, space: ActionSpace, device: torch.device
) -> Targets:
    """Targets of any leading shape: keys (..., K) bool, motion (..., 2) device counts, known (...) bool."""
    return Targets(
        keys=torch.from_numpy(keys.astype(np.float32)).to(device),
        dx=torch.from_numpy(bin_index(motion[..., 0], space.dx_edges)).to(device),
        dy=torch.from_numpy(bin_index(motion[..., 1], space.dy_edges)).to(device),
        known=torch.from_numpy(known.astype(np.float32)).to(device),
    )


class Sampler:
    """Draws augmented windows. Every epoch meets each window once, in a new order and moved by up to a quarter."""

    def __init__(
        self,
        takes: Sequence[Take],
        space: ActionSpace,
        config: AugmentConfig,
        *,
        window: int,
        batch_size: int,
        seed: int,
        device: torch.device,
        world: World | None = None,
        times: Sequence[int] | None = None,
    ) -> None:
        """batch_size: of all processes of the world together; each gets its part of the same batch. times: how often the
        windows of each take are met in an epoch (default: once).
        """
        self._part = (world or World()).share(batch_size)
        self._takes, self._space, self._config = takes, space, config
        self._window, self._size, self._seed, self._device = window, batch_size, seed, device
        once = windows(takes, window, max(1, window // 2))
        self._windows = [one for one in once for _ in range(times[one.take] if times is not None else 1)]
        self._partners = mirrored_codes(space.codes, config.mirror_pairs)
        self._texts = ("", *sorted({text for take in takes for text in take.texts} - {""}))
        number = {text: i for i, text in enumerate(self._texts)}
        self._text_numbers = [np.array([number[text] for text in take.texts]) for take in takes]

    def __len__(self) -> int:
        """Windows of an epoch."""
        return len(self._windows)

    def share_of(self, takes: Collection[int]) -> float:
        """Of the windows of an epoch, those of these takes."""
        return sum(window.take in takes for window in self._windows) / max(len(self._windows), 1)

    def batch(self, step: int) -> Batch:
        """The batch of step `step` (from 0), or this process's part of it."""
        rng = np.random.default_rng((self._seed, 1, step))
        starts: list[tuple[int, int]] = []
        clips, numbers = [], []
        for at in range(step * self._size, (step + 1) * self._size):
            epoch, place = divmod(at, len(self._windows))
            order = np.random.default_rng((self._seed, 0, epoch)).permutation(len(self._windows))
            starts.append(self._start(int(order[place]), rng))
        width, height = self._takes[0].frames.shape[2], self._takes[0].frames.shape[1]
        draws = Draws.of(self._config, self._size, (width, height), rng).rows(self._part)
        for take, start in starts[self._part]:
            clip, number = self._clip(take, start)
            clips.append(clip)
            numbers.append(number)
        stacked = {name: np.stack([clip[name] for clip in clips]) for name in clips[0]}
        mirrored = draws.mirrored
        keys, motion = self._mirror(stacked["keys"], stacked["motion"], mirrored)
        text_ids = np.stack(numbers) + mirrored[:, None] * len(self._texts)
        texts = [*self._texts, *map(mirror_text, self._texts)]
        _word_anew(text_ids, texts, draws.wording)
        frames = torch.from_numpy(stacked["frames"]).to(self._device)
        return Batch(
            frames=augment(frames, draws),
            targets=make_targets(keys, motion, stacked["known"], self._space, self._device),
            watched=torch.from_numpy(stacked["watched"].astype(np.float32)).to(self._device),
            text_ids=torch.from_numpy(text_ids).to(self._device),
            texts=tuple(texts),
        )

    def _start(self, number: int, rng: np.random.Generator) -> tuple[int, int]:
        """The take and the first tick of a window, moved a little."""
        window = self._windows[number]
        reach = self._window // 4
        start = window.start + int(rng.integers(-reach, reach + 1))
        return window.take, max(0, min(start, len(self._takes[window.take]) - self._window))

    def _clip(self, take: int, start: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        clip = cut(self._takes[take], start, self._window)
        return clip, self._text_numbers[take][clip.pop("text_ids").astype(np.int64)]

    def _mirror(self, keys: np.ndarray, motion: np.ndarray, mirrored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keys = np.where(mirrored[:, None, None], keys[..., self._partners], keys)
        sign = np.where(mirrored, -1.0, 1.0).astype(np.float32)
        return keys, motion * np.stack([sign, np.ones_like(sign)], axis=-1)[:, None]


def _word_anew(text_ids: np.ndarray, texts: list[str], seeds: np.ndarray) -> None:
    """Gives the clips with a seed other words for what is said in them, which are added to `texts`. text_ids: (B, T)."""
    for clip, seed in enumerate(seeds.tolist()):
        if not seed:
            continue
        rng = np.random.default_rng(seed)
        for number in np.unique(text_ids[clip]).tolist():
            if texts[number]:
                text_ids[clip, text_ids[clip] == number] = len(texts)
                texts.append(reword(texts[number], rng))
