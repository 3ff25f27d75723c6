"""How far a policy decides otherwise on live pictures than on the same moments as a recording shows them.

Live play judges each picture as it was captured; training saw it after an encoder. A filmed episode is encoded as the recorder
does it and decoded again, and the policy's outputs on both are compared: KL( live || decoded ), in nats, summed over heads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from db.media.resize import Picture, resize
from db.media.video import VideoWriter
from db.media.videoreader import VideoReader
from db.recording.session import FRAME_DTYPE
from db.specs import CaptureSpec
from trainer.data.augment import to_unit
from trainer.data.batches import make_targets
from trainer.episodes.finding import CheckedGame
from trainer.episodes.game import Step
from trainer.episodes.running import play_model
from trainer.models import Loaded
from trainer.nets.p2p import P2P
from trainer.nets.policy import Policy
from trainer.play import Sampling
from trainer.scoring.causality import divergence
from trainer.scoring.inference import reach_of
from trainer.training.stopping import Stopped


@dataclass(frozen=True, eq=False)
class Film:
    """One episode at model size, twice. Arrays over T ticks: pictures (T, H, W, 3) uint8, keys (T, K), motion (T, 2)."""

    live: Picture
    decoded: Picture
    told: str
    keys: np.ndarray
    motion: np.ndarray


@dataclass(frozen=True)
class Eyes:
    """Over all ticks of all films. `kl` in nats: what the encoder changes. `step_kl`: what one tick of play changes, on live
    pictures alone, to hold it against. `key_flips`: the share of ticks in which a key passes its threshold on one side only.
    `grey_levels`: mean difference of the pictures, of 255.
    """

    kl: float
    kl_p99: float
    step_kl: float
    key_flips: float
    grey_levels: float
    ticks: int
    episodes: int
    codec: str


def film(
    loaded: Loaded,
    game: CheckedGame,
    instruction: str,
    seed: int,
    sampling: Sampling,
    capture: CaptureSpec,
    stopped: Callable[[], bool] = lambda: False,
) -> Film:
    """The model plays one episode, and it is recorded. Raises Stopped, EncoderFailed, DiskFull, BadArgument."""
    act = play_model(loaded, sampling, instruction, seed)
    with tempfile.TemporaryDirectory(prefix="playtape-film-") as folder:
        reel = _Reel(Path(folder), capture)
        live, deeds, marks = [], [], []
        try:
            step = Step(game.reset(seed, instruction))
            game.film(reel.add)
            while not step.done:
                if stopped():
                    raise Stopped
                live.append(step.picture)
                marks.append(reel.last)
                deeds.append(act(step.picture))
                step = game.step(deeds[-1].down, deeds[-1].dx, deeds[-1].dy)
        finally:
            game.film(None)
            reel.close()
        decoded = reel.read(marks, loaded.card.clip.size_px)
    keys = np.array([[code in deed.down for code in loaded.card.space.codes] for deed in deeds], np.bool_)
    motion = np.array([(deed.dx, deed.dy) for deed in deeds], np.float32)
    return Film(np.stack(live), np.stack(decoded), instruction, keys, motion)


def measure(loaded: Loaded, films: Sequence[Film], capture: CaptureSpec) -> Eyes:
    """Compares the outputs on both sides of every film, with the actions that were done on the live one."""
    codec, steps, flips = [], [], []
    for shown in films:
        apart, flipped = _compare(loaded, shown, shown.live, shown.decoded)
        codec.append(apart)
        flips.append(flipped)
        later = np.concatenate([shown.live[:1], shown.live[:-1]])
        steps.append(_compare(loaded, shown, shown.live, later)[0][1:])
    every = np.concatenate(codec)
    levels = [np.abs(shown.live.astype(np.int16) - shown.decoded.astype(np.int16)).mean() for shown in films]
    return Eyes(
        kl=float(every.mean()),
        kl_p99=float(np.quantile(every, 0.99)),
        step_kl=float(np.concatenate(steps).mean()),
        key_flips=float(np.concatenate(flips).mean()),
        grey_levels=float(np.mean(levels)),
        ticks=len(every),
        episodes=len(films),
        codec=f"{capture.codec} {capture.preset} crf {capture.crf}",
    )


class _Reel:
    """A video as the recorder writes it, into which captured pictures go as they come."""

    def __init__(self, folder: Path, capture: CaptureSpec) -> None:
        self._folder, self._capture = folder, capture
        self._writer: VideoWriter | None = None
        self._rows: list[tuple[int, ...]] = []

    @property
    def last(self) -> int:
        """The index of the newest picture."""
        return len(self._rows) - 1

    def add(self, bgra: Picture, t_ns: int) -> None:
        if self._writer is None:
            self._writer = VideoWriter(self._folder, (bgra.shape[1], bgra.shape[0]), self._capture)
        self._rows.append(self._writer.write(bgra, t_ns, t_ns))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def read(self, indices: Sequence[int], size_px: tuple[int, int]) -> list[Picture]:
        """What training would see of these pictures."""
        assert self._writer is not None
        reader = VideoReader(self._folder, self._writer.segments, np.array(self._rows, FRAME_DTYPE))
        try:
            found = {index: resize(picture, size_px) for index, picture in reader.read(sorted(set(indices)))}
        finally:
            reader.close()
        return [found[index] for index in indices]


def _compare(loaded: Loaded, shown: Film, one: Picture, other: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Per tick: KL of the outputs, and whether a key is down by one side alone."""
    net, space, device = loaded.net, loaded.card.space, loaded.device
    assert isinstance(net, Policy | P2P)
    before, count, _ = reach_of(net)
    cuts = torch.tensor(loaded.card.thresholds)
    apart, flips = [], []
    with torch.inference_mode():
        text = net.encode_texts([shown.told])
        for start in range(0, len(one), count):
            first, stop = max(0, start - before), min(len(one), start + count)
            sides = [to_unit(torch.from_numpy(np.array(side[first:stop])).to(device))[None] for side in (one, other)]
            texts = text[:, None].expand(1, stop - first, *text.shape[1:])
            keys, motion = shown.keys[None, first:stop], shown.motion[None, first:stop]
            done = make_targets(keys, motion, np.ones(keys.shape[:2], np.bool_), space, device)
            at = list(range(start - first, stop - first))
            apart.append(divergence(net, sides[0], sides[1], texts, done, at).cpu().numpy())
            said = [net(side, texts, done) if isinstance(net, P2P) else net(side, texts) for side in sides]
            down = [torch.sigmoid(outputs.keys[0, at].float()).cpu() >= cuts for outputs in said]
            flips.append((down[0] != down[1]).any(dim=-1).numpy())
    return np.concatenate(apart), np.concatenate(flips)
