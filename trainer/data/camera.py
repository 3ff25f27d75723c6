"""What another camera would have made of a clip: held askew, in another light, out of focus, sharpened, or grainy.

Clips are (T, 3, H, W) RGB in [0, 1]; what comes out may leave that range a little.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from trainer.nets.encoder import luminance

Kernel = NDArray[np.float32]
"""(k, k) with k odd; its sum is 1."""

_NEUTRAL_K = 6500.0
_GAMMA = 2.2
_TO_RGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
"""CIE XYZ to linear sRGB (IEC 61966-2-1)."""
_LINEAR_LUMA = np.array([0.2126, 0.7152, 0.0722])


def rotate(clip: Tensor, radians: float) -> Tensor:
    """Turns about the middle, the border repeated. Bilinear."""
    height, width = clip.shape[-2:]
    cos, sin = math.cos(radians), math.sin(radians)
    turn = torch.tensor([[[cos, -sin * height / width, 0.0], [sin * width / height, cos, 0.0]]], device=clip.device)
    planes = clip.reshape(1, -1, height, width)
    grid = functional.affine_grid(turn, [1, 1, height, width], align_corners=False)
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False).view_as(clip)


def light(clip: Tensor, gains: NDArray[np.float32]) -> Tensor:
    """Multiplies red, green and blue; see `illuminant`."""
    return clip * torch.from_numpy(gains).to(clip.device)[:, None, None]


def turn_hue(clip: Tensor, turns: Tensor) -> Tensor:
    """Turns colours about the axis of greys; a whole turn is 1. turns: a number, or one a pixel, (T, 1, H, W)."""
    angle = turns * (2 * math.pi)
    red, green, blue = clip.unbind(dim=1)
    across = torch.stack([blue - green, red - blue, green - red], dim=1) / math.sqrt(3)
    middle = clip.mean(dim=1, keepdim=True)
    return middle + (clip - middle) * torch.cos(angle) + across * torch.sin(angle)


def convolve(clip: Tensor, kernel: Kernel) -> Tensor:
    """Each picture and colour by itself, the border repeated.

    One tap after the other, which on a processor takes an eighth of the time of a convolution of so few channels.
    """
    reach, (height, width) = len(kernel) // 2, clip.shape[-2:]
    padded = functional.pad(clip, (reach, reach, reach, reach), mode="replicate")
    out = torch.zeros_like(clip)
    for down, right in np.argwhere(kernel).tolist():
        out.add_(padded[..., down : down + height, right : right + width], alpha=float(kernel[down, right]))
    return out


def sharpen(clip: Tensor, amount: float) -> Tensor:
    """Adds `amount` of what a small blur takes away."""
    return clip + amount * (clip - convolve(clip, gaussian(3, 0.8)))


def add_grain(clip: Tensor, colour: float, intensity: float, seed: int) -> Tensor:
    """A sensor's noise, another in every picture: brightness as shot noise, less in the light, and hue.

    colour times intensity is the standard deviation of the hue in turns; that of the brightness is
    sqrt(intensity * contrast / 255), of which nothing is left in pure white.
    """
    generator = torch.Generator(device=clip.device).manual_seed(seed)
    count, _, height, width = clip.shape
    drawn = torch.randn((2, count, 1, height, width), generator=generator, device=clip.device, dtype=clip.dtype)
    grey = luminance(clip)[:, None]
    contrast = grey.flatten(1).std(dim=1)[:, None, None, None]
    shot = drawn[0] * (intensity * contrast / 255).sqrt() * (1 - grey)
    return turn_hue(clip, drawn[1] * (colour * intensity)) + shot


def gaussian(size: int, sigma_px: float) -> Kernel:
    """size: odd."""
    offsets = np.arange(size) - size // 2
    line = np.exp(-0.5 * (offsets / sigma_px) ** 2)
    kernel = np.outer(line, line)
    return np.asarray(kernel / kernel.sum(), np.float32)


def streak(size: int, radians: float) -> Kernel:
    """What a straight motion over `size` pixels (odd) leaves of a point."""
    kernel = np.zeros((size, size))
    for along in np.linspace(-(size // 2), size // 2, 4 * size):
        x, y = size // 2 + along * math.cos(radians), size // 2 + along * math.sin(radians)
        kernel[round(y), round(x)] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)


def illuminant(kelvin: float) -> NDArray[np.float32]:
    """(3,): what the light of a black body makes of red, green and blue beside daylight of 6500 K, equally bright.

    The locus of black bodies after Kim et al. (US 7024034), valid from 1667 to 25000 K; gains are for gamma-coded pictures.
    """
    gains = _black_body(kelvin) / _black_body(_NEUTRAL_K)
    gains = np.maximum(gains / (gains @ _LINEAR_LUMA), 0.0)
    return np.asarray(gains ** (1 / _GAMMA), np.float32)


def _black_body(kelvin: float) -> NDArray[np.float64]:
    """Linear sRGB of a black body's colour."""
    thousands = 1000 / kelvin
    if kelvin <= 4000:
        x = np.polyval([-0.2661239, -0.2343589, 0.8776956, 0.179910], thousands)
    else:
        x = np.polyval([-3.0258469, 2.1070379, 0.2226347, 0.240390], thousands)
    if kelvin <= 2222:
        y = np.polyval([-1.1063814, -1.34811020, 2.18555832, -0.20219683], x)
    elif kelvin <= 4000:
        y = np.polyval([-0.9549476, -1.37418593, 2.09137015, -0.16748867], x)
    else:
        y = np.polyval([3.0817580, -5.87338670, 3.75112997, -0.37001483], x)
    rgb: NDArray[np.float64] = np.maximum(_TO_RGB @ np.array([x / y, 1.0, (1 - x - y) / y]), 1e-6)
    return rgb
