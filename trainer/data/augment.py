"""Pictures as a model sees them, and the draws that vary them in training: one draw per clip, none per frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from trainer.configs import AugmentConfig
from trainer.data import camera
from trainer.nets.encoder import luminance

_BLUR_PX = (3, 5, 7)
_BLUR_SIGMA_PX = (0.1, 2.0)
_SHARPENING = (0.5, 1.5)
_GRAIN_COLOUR, _GRAIN_INTENSITY = (0.01, 0.2), (0.1, 0.6)
_LIGHT_K = (3000.0, 15000.0)


def to_unit(frames: Tensor) -> Tensor:
    """(..., H, W, 3) uint8 -> (..., 3, H, W) float32 in [0, 1]: the one conversion of training, evaluation and play."""
    return frames.movedim(-1, -3).contiguous().float().div_(255)


@dataclass(frozen=True, eq=False)
class Draws:
    """What is done to each of B clips; the same whichever process does it. Zeros, and ones for factors, leave it alone."""

    mirrored: np.ndarray
    """(B,) bool."""
    shift_px: np.ndarray
    """(B, 2): right and down."""
    colour: np.ndarray
    """(B, 3) float32: factors of contrast, brightness and saturation, around 1."""
    hue: np.ndarray
    """(B,): turns."""
    rotation: np.ndarray
    """(B,): radians."""
    light: np.ndarray
    """(B, 3) float32: gains of red, green and blue."""
    blur: np.ndarray
    """(B, 7, 7) float32: kernels whose sum is 1; all zeros where nothing is blurred."""
    sharpening: np.ndarray
    """(B,)."""
    grain: np.ndarray
    """(B, 2): colour and intensity."""
    seed: np.ndarray
    """(B,) int64: of what differs from frame to frame, the grain."""
    wording: np.ndarray
    """(B,) int64: the seed of another wording of what is said in the clip, or 0 for the words as they are."""

    @classmethod
    def of(cls, config: AugmentConfig, batch: int, size_px: tuple[int, int], rng: np.random.Generator) -> Draws:
        """size_px: (width, height) of the pictures.

        Everything is drawn whatever the configuration says, so that turning one thing off changes no other.
        """
        reach = [round(config.shift_share * side) for side in size_px]
        mirrored = rng.random(batch) < config.mirror
        shift = np.stack([rng.integers(-side, side + 1, batch) for side in reach], axis=1)
        spreads = (config.contrast, config.brightness, config.saturation)
        colour = np.stack([1 + rng.uniform(-spread, spread, batch) for spread in spreads], axis=1)
        if config.shift_across_only:
            shift[:, 1] = 0

        def met(chance: float) -> np.ndarray:
            return rng.random(batch) < chance

        is_shifted, is_coloured = met(config.shift_chance), met(config.colour_chance)
        hue = rng.uniform(-config.hue, config.hue, batch)
        turn = math.radians(config.rotation_deg)
        rotation = met(config.rotation_chance) * rng.uniform(-turn, turn, batch)
        light = np.where(met(config.light_chance)[:, None], _lights(batch, rng), 1).astype(np.float32)
        blur = met(config.blur_chance)[:, None, None] * _blurs(batch, rng)
        sharpening = met(config.sharpen_chance) * rng.uniform(*_SHARPENING, batch)
        strengths = np.stack([rng.uniform(*_GRAIN_COLOUR, batch), rng.uniform(*_GRAIN_INTENSITY, batch)], axis=1)
        grain = met(config.grain_chance)[:, None] * strengths
        seed = rng.integers(2**62, size=batch)
        wording = met(config.text_augment) * rng.integers(1, 2**62, size=batch)
        return cls(
            mirrored=mirrored,
            shift_px=shift * is_shifted[:, None],
            colour=np.where(is_coloured[:, None], colour, 1).astype(np.float32),
            hue=hue * is_coloured,
            rotation=rotation,
            light=light,
            blur=blur,
            sharpening=sharpening,
            grain=grain,
            seed=seed,
            wording=wording,
        )

    def rows(self, part: slice) -> Draws:
        return Draws(**{field.name: getattr(self, field.name)[part] for field in fields(self)})


def augment(frames: Tensor, draws: Draws) -> Tensor:
    """Varies clips, each by its own draw: (B, T, H, W, 3) uint8 -> (B, T, 3, H, W) float32 in [0, 1].

    A clip for which nothing was drawn is what `to_unit` makes of it. One clip after the other, in place: together they do
    not fit into a processor's cache, and then every pass over them waits for the memory.
    """
    count, length, height, width, channels = frames.shape
    varied = torch.empty((count, length, channels, height, width), device=frames.device)
    for i, (clip, into) in enumerate(zip(frames, varied, strict=True)):
        _vary(clip, into, draws, i)
    return varied


def _vary(clip: Tensor, into: Tensor, draws: Draws, i: int) -> None:
    """One clip (T, H, W, 3) into (T, 3, H, W): first where things are, then the light and the colours, then what a lens and
    a sensor do."""
    planes = clip.movedim(-1, -3).contiguous()
    if draws.mirrored[i]:
        planes = planes.flip(-1)
    if draws.shift_px[i].any() and not draws.rotation[i]:
        planes = _shift(planes, *draws.shift_px[i].tolist())
    out = into.copy_(planes).div_(255)
    if draws.rotation[i]:
        out = _shift(camera.rotate(out, float(draws.rotation[i])), *draws.shift_px[i].tolist())
    if (draws.light[i] != 1).any():
        out = camera.light(out, draws.light[i])
    if draws.hue[i]:
        out = camera.turn_hue(out, out.new_tensor(draws.hue[i]))
    if (draws.colour[i] != 1).any():
        out = _colour(out, *draws.colour[i].tolist())
    if draws.blur[i].any():
        out = camera.convolve(out, _trim(draws.blur[i]))
    if draws.sharpening[i]:
        out = camera.sharpen(out, float(draws.sharpening[i]))
    if draws.grain[i].any():
        out = camera.add_grain(out, float(draws.grain[i, 0]), float(draws.grain[i, 1]), int(draws.seed[i]))
    torch.clamp(out, 0, 1, out=into)


def _colour(clip: Tensor, contrast: float, brightness: float, saturation: float) -> Tensor:
    """In place."""
    grey = luminance(clip)[:, None]
    middle = float(grey.mean())
    changed = grey.mul_((1 - saturation) * contrast).add_(middle * (brightness - contrast))
    return torch.add(changed, clip, alpha=saturation * contrast, out=clip)


def _shift(planes: Tensor, right: int, down: int) -> Tensor:
    """Moves pictures (..., H, W) by whole pixels, repeating their border."""
    height, width = planes.shape[-2:]
    moved = torch.empty_like(planes)
    top, bottom = max(down, 0), height + min(down, 0)
    left, stop = max(right, 0), width + min(right, 0)
    moved[..., top:bottom, left:stop] = planes[..., top - down : bottom - down, left - right : stop - right]
    moved[..., :top, :] = moved[..., top : top + 1, :]
    moved[..., bottom:, :] = moved[..., bottom - 1 : bottom, :]
    moved[..., :left] = moved[..., left : left + 1]
    moved[..., stop:] = moved[..., stop - 1 : stop]
    return moved


def _lights(batch: int, rng: np.random.Generator) -> np.ndarray:
    """(B, 3): drawn evenly over the reciprocal of the temperature, along which colours change about evenly."""
    warm, cold = _LIGHT_K
    return np.stack([camera.illuminant(1 / share) for share in rng.uniform(1 / cold, 1 / warm, batch)])


def _blurs(batch: int, rng: np.random.Generator) -> np.ndarray:
    """(B, 7, 7) float32: out of focus or moved, equally often."""
    largest = max(_BLUR_PX)
    kernels = np.zeros((batch, largest, largest), np.float32)
    for kernel in kernels:
        size, sigma_px, turn = int(rng.choice(_BLUR_PX)), rng.uniform(*_BLUR_SIGMA_PX), rng.uniform(0, math.pi)
        at = slice((largest - size) // 2, (largest + size) // 2)
        kernel[at, at] = camera.streak(size, turn) if rng.random() < 0.5 else camera.gaussian(size, sigma_px)
    return kernels


def _trim(kernel: np.ndarray) -> np.ndarray:
    """Without the zeros around it, which cost as much as the rest."""
    reach = len(kernel) // 2
    while reach and not (kernel[0].any() or kernel[-1].any() or kernel[:, 0].any() or kernel[:, -1].any()):
        kernel, reach = kernel[1:-1, 1:-1], reach - 1
    return np.ascontiguousarray(kernel)
