"""The statistics of a dataset's features: of each episode, and of all of them together as LeRobot adds them up.

Each is a dict of min, max, mean, std, count and five quantiles, every one of the feature's own shape: (D,) for vectors, (3, 1, 1) in
[0, 1] for pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.media.resize import Picture

Statistics = dict[str, NDArray[Any]]
_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
PICTURES = 100
"""So many of an episode are looked at, spread evenly."""
_SIDE_PX = 150


def describe(values: NDArray[Any]) -> Statistics:
    """values: (N, D), or (N,) for D = 1."""
    table = values.reshape(len(values), -1).astype(np.float64)
    found = {
        "min": table.min(axis=0),
        "max": table.max(axis=0),
        "mean": table.mean(axis=0),
        "std": table.std(axis=0),
        "count": np.array([len(table)]),
    }
    quantiles = np.quantile(table, list(_QUANTILES.values()), axis=0)
    return found | dict(zip(_QUANTILES, quantiles, strict=True))


def thin(picture: Picture) -> Picture:
    """A picture (H, W, 3) with rows and columns left out, small enough to keep a hundred of them."""
    step = max(max(picture.shape[:2]) // _SIDE_PX, 1)
    return np.ascontiguousarray(picture[::step, ::step])


def describe_pictures(pictures: Sequence[Picture]) -> Statistics:
    """Of all points of these pictures, per channel; `count` is the number of pictures."""
    points = np.concatenate([picture.reshape(-1, 3) for picture in pictures])
    found = {name: value.reshape(3, 1, 1) / 255 for name, value in describe(points).items() if name != "count"}
    return found | {"count": np.array([len(pictures)])}


def add_up(parts: Sequence[Statistics]) -> Statistics:
    """Of several episodes: the mean and the deviation are those of all frames, quantiles the mean of the episodes' own."""
    counts = np.array([part["count"][0] for part in parts], np.float64)
    weights = (counts / counts.sum()).reshape(-1, *[1] * parts[0]["mean"].ndim)

    def mean(name: str) -> NDArray[Any]:
        total: NDArray[Any] = (np.stack([part[name] for part in parts]) * weights).sum(axis=0)
        return total

    middle = mean("mean")
    squares = np.stack([part["std"] ** 2 + (part["mean"] - middle) ** 2 for part in parts])
    return {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": middle,
        "std": np.sqrt((squares * weights).sum(axis=0)),
        "count": np.array([int(counts.sum())]),
        **{name: mean(name) for name in _QUANTILES},
    }
