"""Pictures as a model sees them, and the draws that vary them in training: one draw per clip, none per frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

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
    """Varies clips (B, T, 3, H, W) in [0, 1], each by its own draw; a clip for which nothing was drawn stays as it is."""
    return torch.stack([_vary(clip, draws, i) for i, clip in enumerate(frames)])


def _vary(clip: Tensor, draws: Draws, i: int) -> Tensor:
    """One clip (T, 3, H, W): first where things are, then the light and the colours, then what a lens and a sensor do."""
    before = clip
    if draws.mirrored[i]:
        clip = clip.flip(-1)
    if draws.rotation[i]:
        clip = camera.rotate(clip, float(draws.rotation[i]))
    if draws.shift_px[i].any():
        clip = _shift(clip, *draws.shift_px[i].tolist())
    if (draws.light[i] != 1).any():
        clip = camera.light(clip, draws.light[i])
    if draws.hue[i]:
        clip = camera.turn_hue(clip, clip.new_tensor(draws.hue[i]))
    if (draws.colour[i] != 1).any():
        clip = _colour(clip, *draws.colour[i].tolist())
    if draws.blur[i].any():
        clip = camera.convolve(clip, _trim(draws.blur[i]))
    if draws.sharpening[i]:
        clip = camera.sharpen(clip, float(draws.sharpening[i]))
    if draws.grain[i].any():
        clip = camera.add_grain(clip, float(draws.grain[i, 0]), float(draws.grain[i, 1]), int(draws.seed[i]))
    return clip if clip is before else clip.clamp(0, 1)


def _colour(clip: Tensor, contrast: float, brightness: float, saturation: float) -> Tensor:
    grey = luminance(clip)[:, None]
    middle = float(grey.mean())
    changed = grey.mul_((1 - saturation) * contrast).add_(middle * (brightness - contrast))
    return changed + clip * (saturation * contrast)


def _shift(clip: Tensor, right: int, down: int) -> Tensor:
    """Moves a clip by whole pixels, repeating its border."""
    height, width = clip.shape[-2:]
    padded = functional.pad(clip, (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0)), mode="replicate")
    top, left = max(-down, 0), max(-right, 0)
    return padded[..., top : top + height, left : left + width]


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
