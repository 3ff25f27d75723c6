"""The one way a captured picture becomes a model's picture, in training and in play, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from db.specs import SizePx

Picture = NDArray[np.uint8]


def resize(rgb: Picture, size_px: SizePx) -> Picture:
    """(H, W, 3) uint8 RGB -> (height, width, 3) uint8 at `size_px`, area-weighted (Pillow's BOX in fixed point).

    The aspect ratio is not kept: a model's picture is the whole window, squeezed, as in Pixels2Play.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
    if (rgb.shape[1], rgb.shape[0]) == tuple(size_px):
        return rgb
    return np.asarray(Image.fromarray(np.ascontiguousarray(rgb)).resize(size_px, Image.Resampling.BOX))
