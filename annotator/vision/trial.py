"""Tries a model out with two drawn pictures, which show nobody's screen."""

from __future__ import annotations

import numpy as np

from annotator.vision.frames import encode
from annotator.vision.model import chosen_model
from annotator.vision.patience import Cancelled
from annotator.vision.prompt import describe_window
from annotator.vision.reply import read_reply
from annotator.vision.request import Request, Shot
from annotator.vision.setup import VisionSetup

_SIZE_PX = (256, 192)


def try_out(setup: VisionSetup, cancelled: Cancelled = lambda: False) -> str:
    """A sentence on what the model answered. Raises BadArgument, VisionFailed and what derives from it."""
    model = chosen_model(setup)
    shots = tuple(Shot(i, float(i), encode(_draw(i), float(i), setup.picture_px)) for i in range(2))
    text = describe_window([shot.time_s for shot in shots], [[], []] if setup.with_keys else None, None)
    reply = read_reply(model.ask(Request(setup.prompt, text, shots, 0.0, 2.0), cancelled), 0.0, 2.0)
    count = len(reply.instructions)
    said = f" It says of two drawn pictures: {reply.narrative[:120]}" if reply.narrative else ""
    return f"It works: {count} instruction{'s' * (count != 1)} came back.{said}"


def _draw(number: int) -> np.ndarray:
    """A square that moves over a floor, (H, W, 3)."""
    width, height = _SIZE_PX
    picture = np.full((height, width, 3), (70, 90, 120), np.uint8)
    picture[height * 2 // 3 :] = (90, 70, 50)
    left = 40 + 80 * number
    picture[100:140, left : left + 40] = (230, 200, 60)
    return picture
