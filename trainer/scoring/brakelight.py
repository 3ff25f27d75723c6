"""The brake-light toy of Pixels2Play: a network that could be causal with one weight, and what depth makes of it.

Yue et al. (2026), section 5.1.1. A driver sees two binary features, whether there is an obstacle and whether the brake was
on in the step before (its light), and three of noise. The best driver brakes for obstacles alone; obstacles stay for many
steps, so the light goes with braking. Networks learn from the best driver's steps one at a time, by plain SGD. What they
make of it is c = log p(brake | obstacle, no light) - log p(brake | no obstacle, light); higher is more causal.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from db.files import replace_bytes

DEPTHS = (0, 1, 2, 3, 4)
"""Hidden layers; 0 is the linear network."""
STAY = 0.95
"""How likely an obstacle, or a free road, lasts another step."""
WIDTH, RATE, NOISE = 32, 0.01, 3


@dataclass(frozen=True)
class Curve:
    """How causal networks of one depth were after so many steps."""

    depth: int
    steps: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    """One row for each seed."""

    @property
    def mean(self) -> list[float]:
        return [float(value) for value in np.mean(self.scores, axis=0)]


def drive(steps: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The best driver's road: features (steps, 2 + NOISE) float32 and whether it brakes (steps,) float32."""
    changes = rng.random(steps) > STAY
    obstacle = np.logical_xor.accumulate(changes).astype(np.float32)
    light = np.concatenate([[0], obstacle[:-1]]).astype(np.float32)
    noise = rng.standard_normal((steps, NOISE)).astype(np.float32)
    return np.concatenate([obstacle[:, None], light[:, None], noise], axis=1), obstacle


def network(depth: int) -> nn.Sequential:
    """Features -> the logit of braking, through so many hidden layers."""
    layers: list[nn.Module] = []
    inputs = 2 + NOISE
    for _ in range(depth):
        layers += [nn.Linear(inputs, WIDTH), nn.ReLU()]
        inputs = WIDTH
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def causality(net: nn.Module) -> float:
    """c of the docstring above, without noise, in nats."""
    seen = torch.zeros(2, 2 + NOISE)
    seen[0, 0] = seen[1, 1] = 1
    with torch.no_grad():
        obstacle, light = nn.functional.logsigmoid(net(seen)[:, 0]).tolist()
    return float(obstacle - light)


def study(
    *,
    depths: Sequence[int] = DEPTHS,
    steps: int = 20_000,
    seeds: int = 5,
    looks: int = 20,
    tell: Callable[[float], None] = lambda share: None,
) -> list[Curve]:
    """Trains `seeds` networks of each depth, batch size 1, and looks `looks` times on the way."""
    every = max(1, steps // looks)
    curves = []
    for number, depth in enumerate(depths):
        rows = []
        for seed in range(seeds):
            rows.append(_train(depth, steps, every, seed))
            tell((number * seeds + seed + 1) / (len(depths) * seeds))
        at = tuple(range(0, steps + 1, every))
        curves.append(Curve(depth, at, tuple(rows)))
    return curves


def draw(curves: Sequence[Curve], path: Path) -> None:
    """The plot: causality over steps, a line for each depth with the spread of its seeds. Raises DiskFull."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    for curve in curves:
        scores = np.array(curve.scores)
        name = "linear" if curve.depth == 0 else f"{curve.depth} hidden layer{'s' * (curve.depth > 1)}"
        (line,) = axes.plot(curve.steps, scores.mean(axis=0), label=name)
        axes.fill_between(curve.steps, scores.min(axis=0), scores.max(axis=0), color=line.get_color(), alpha=0.15)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set(xlabel="steps of SGD", ylabel="causality, nats", title="Brakes for the obstacle, or for the light?")
    axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lstrip(".") or "svg", dpi=150)
    pyplot.close(figure)
    replace_bytes(path, buffer.getvalue())


def _train(depth: int, steps: int, every: int, seed: int) -> tuple[float, ...]:
    rng = np.random.default_rng((seed, depth))
    torch.manual_seed(seed * 1000 + depth)
    net = network(depth)
    optimiser = torch.optim.SGD(net.parameters(), lr=RATE)
    features, brakes = (torch.from_numpy(part) for part in drive(steps, rng))
    scores = [causality(net)]
    for step in range(steps):
        loss: Tensor = nn.functional.binary_cross_entropy_with_logits(net(features[step])[0], brakes[step])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % every == 0:
            scores.append(causality(net))
    return tuple(scores)
