"""The command `playtape-train configurations`: the named configurations, and what this machine makes of each."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass

import torch

from db.cli import emit
from trainer.configs import CLIPS, P2P_SIZES

_WHAT = {
    "quick": "From scratch on minutes to hours of play, on a processor or a GPU.",
    "quick-gpu": "The same with larger pictures and more weights, for hours of play.",
}
_NO_GPU = "It needs an NVIDIA GPU, and torch finds none on this machine."
_SLOW = "It is made for an NVIDIA GPU, and torch finds none on this machine."


@dataclass(frozen=True)
class Offer:
    """One configuration, as a person chooses it."""

    name: str
    what: str
    size_px: tuple[int, int]
    rate_hz: float
    """Pictures and rate that a dataset for it is frozen at."""
    runs_here: bool
    reason: str = ""
    """Why it cannot run here, or should not; empty where nothing speaks against it."""


def offers(has_gpu: bool) -> list[Offer]:
    """Every configuration that is made for real data, the smallest first."""
    found = []
    for name in ("quick", "quick-gpu", *P2P_SIZES):
        clip, size = CLIPS[name], name.removeprefix("p2p-").upper()
        what = _WHAT.get(name, f"The transformer of Pixels2Play with {size} weights, for many hours of play.")
        is_large = name in P2P_SIZES
        reason = "" if has_gpu or name == "quick" else _NO_GPU if is_large else _SLOW
        found.append(Offer(name, what, clip.size_px, clip.rate_hz, has_gpu or not is_large, reason))
    return found


def tell_configurations(args: argparse.Namespace) -> int:
    found = offers(torch.cuda.is_available())
    lines = [
        f"{offer.name:<10} {offer.size_px[0]}x{offer.size_px[1]} at {offer.rate_hz:g} Hz  "
        f"{offer.what}{f' {offer.reason}' if offer.reason else ''}"
        for offer in found
    ]
    emit(args, {"configurations": [asdict(offer) for offer in found]}, "\n".join(lines))
    return 0
