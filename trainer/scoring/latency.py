"""How long one live step of a policy takes on this machine, how fast an IDM labels, and what machine that is."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from trainer.data.clips import Take
from trainer.models import Loaded
from trainer.nets.p2p import P2P
from trainer.play import Player, open_player
from trainer.scoring.inference import predict_take, reach_of

STEPS, BUDGET_S = 300, 8.0
_LEAST_STEPS = 20
_WARM_UP = 10


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a picture's bytes to the decision on it, the next picture's state included."""

    p50_ms: float
    p99_ms: float
    steps: int
    """How many were measured."""
    history: int
    """Pictures that had been seen when the measuring began; a transformer looks at all of them in each step."""
    threads: int
    device: str
    machine: str


@dataclass(frozen=True)
class Speed:
    """Frames of a session labelled in a second, the pictures being at hand at model size; the median of a few rounds."""

    frames_per_s: float
    frames: int
    """How many were labelled in a round."""
    threads: int
    device: str
    machine: str


def measure_latency(
    loaded: Loaded, *, steps: int = STEPS, budget_s: float = BUDGET_S, threads: int = 1, seed: int = 0
) -> Latency:
    """Plays noise to a policy, with the whole history it can look back at, on one thread as `serve` does by default.

    Ends after `steps` or, once it has a few, after `budget_s`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        player = open_player(loaded)
        rng = np.random.default_rng(seed)
        history = loaded.net.config.window if isinstance(loaded.net, P2P) else _WARM_UP
        for _ in range(history):
            _see(player, rng)
        times_s: list[float] = []
        while len(times_s) < _LEAST_STEPS or (len(times_s) < steps and sum(times_s) < budget_s):
            times_s.append(_see(player, rng))
    finally:
        torch.set_num_threads(before)
    p50, p99 = (float(v) * 1000 for v in np.quantile(times_s, (0.5, 0.99)))
    return Latency(p50, p99, len(times_s), history, threads, loaded.device.type, machine_name(loaded.device))


def measure_speed(loaded: Loaded, take: Take, rounds: int = 3) -> Speed:
    """Labels the beginning of a take, once to warm up and then `rounds` times, with the threads that torch has now."""
    ticks = slice(0, min(len(take), 4 * reach_of(loaded.net)[1]))
    part = replace(
        take,
        frames=np.array(take.frames[ticks]),
        ticks=take.ticks[ticks],
        edges_ns=take.edges_ns[: ticks.stop + 1],
        **{name: getattr(take, name)[ticks] for name in ("keys", "motion", "known", "watched", "actors", "text_ids")},
    )
    times_s = []
    for _ in range(1 + rounds):
        began_s = time.perf_counter()
        predict_take(loaded.net, part, loaded.card.space)
        times_s.append(time.perf_counter() - began_s)
    rate = len(part) / float(np.median(times_s[1:]))
    return Speed(rate, len(part), torch.get_num_threads(), loaded.device.type, machine_name(loaded.device))


def machine_name(device: torch.device) -> str:
    """The processor, or the GPU and the processor, in words; nothing that tells whose machine it is."""
    parts = [f"{_processor()}, {os.cpu_count()} logical processors", f"{platform.system()} {platform.machine()}"]
    if device.type == "cuda":
        parts.insert(0, torch.cuda.get_device_name(device))
    return ", ".join([*parts, f"torch {torch.__version__}"])


def _see(player: Player, rng: np.random.Generator) -> float:
    """Seconds for one picture; a GPU has answered by the time the decision is there."""
    raw = rng.integers(0, 256, player.frame_bytes, np.uint8).tobytes()
    began_s = time.perf_counter()
    player.see(raw)
    return time.perf_counter() - began_s


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "unknown processor"
