"""How well the inputs of the scripted game can be told at all at a dataset's rate: from the game's own account, not from pictures.

    python -m bench ceiling --library DIR --dataset ID

A small network is given, for every frame, what the engine itself says of the tic that the frame can show at the earliest: which
buttons it was told, and how far the view turned since the frame before. What it cannot tell, no pictures can: an input takes some
milliseconds to reach a tic and a tic 29 ms to end, so it may show in this interval's last frame or only in the next one's. Trained
on the training split, scored on the held-out one, like an IDM.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from db.specs import ActionSpace
from db.store import Store
from games.engine import BINDINGS, turned_deg
from games.witness import read_rows
from trainer.data.clips import Take, load_takes
from trainer.data.manifest import Split, latest_dataset, read_manifest
from trainer.scoring.baselines import Prediction
from trainer.scoring.inference import truth_of
from trainer.scoring.scores import score

_NEAR = 3
"""Frames on each side that are seen."""
_STEPS, _BATCH, _HIDDEN = 4000, 512, 128


class _Log:
    """A sitting's tics: when each was read, its buttons (T, K), its view (T, 2) in degrees, and its episode."""

    def __init__(self, path: Path, codes: Sequence[int]) -> None:
        rows = [row for row in read_rows(path) if row["kind"] == "tic"]
        names = [BINDINGS[code][2].name for code in codes]
        self.t_ns = np.array([row["t_ns"] for row in rows], np.int64)
        self.buttons = np.array([[row["action"].get(name, 0.0) for name in names] for row in rows], np.float32)
        self.view_deg = np.array([[row["angle_deg"], row["pitch_deg"]] for row in rows])
        self.episode = np.array([row["episode"] for row in rows])

    def overlap_ns(self, take: Take) -> int:
        first, last = max(self.t_ns[0], take.edges_ns[0]), min(self.t_ns[-1], take.edges_ns[-1])
        return int(last - first)

    def features(self, take: Take) -> NDArray[np.float32]:
        """(T, F): buttons at the later frame and on average since the earlier one, and the turn, of the intervals around."""
        tic = np.searchsorted(self.t_ns, take.edges_ns, side="right") - 1
        tic = np.clip(tic, 0, len(self.t_ns) - 1)
        sums = np.concatenate([np.zeros((1, self.buttons.shape[1])), np.cumsum(self.buttons, axis=0)])
        count = np.maximum(np.diff(tic), 1)[:, None]
        mean = (sums[tic[1:] + 1] - sums[tic[1:] + 1 - count[:, 0]]) / count
        ends = self.view_deg[tic]
        turn = np.array([turned_deg(a, b) for a, b in zip(ends[:-1, 0], ends[1:, 0], strict=True)])
        moved = np.stack([turn, np.diff(ends[:, 1])], axis=1) * (np.diff(self.episode[tic]) == 0)[:, None] / 5
        own = np.concatenate([self.buttons[tic[1:]], mean, moved], axis=1)
        padded = np.pad(own, ((_NEAR, _NEAR), (0, 0)), mode="edge")
        near = [padded[i : i + len(own)] for i in range(2 * _NEAR + 1)]
        return np.concatenate(near, axis=1).astype(np.float32)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench ceiling", description=__doc__)
    parser.add_argument("--library", type=Path, required=True, metavar="DIR")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="the game's logs (default: logs beside the library)")
    parser.add_argument("--dataset", metavar="ID", help="default: the newest")
    args = parser.parse_args(argv)
    with Store.open(args.library) as store:
        manifest = read_manifest(store, args.dataset or latest_dataset(store))
        logs_dir: Path = args.logs or args.library.resolve().parent / "logs"
        logs = [_Log(path, manifest.space.codes) for path in sorted(logs_dir.glob("*/tics.jsonl"))]

        def takes_of(split: Split) -> tuple[list[Take], list[NDArray[np.float32]]]:
            takes = load_takes(store, manifest, manifest.of(split, "human"))
            return takes, [max(logs, key=lambda log: log.overlap_ns(take)).features(take) for take in takes]

        net = _fit(*takes_of("train"), manifest.space)
        takes, features = takes_of("held-out")
    predictions = [_predict(net, rows, manifest.space) for rows in features]
    found = score([truth_of(take) for take in takes], predictions, manifest.space)
    onset, mouse = found["macro_onset_f1"], found["mouse"]
    facts = {
        "macro AP": found["macro_ap"], "macro onset F1": onset["0"], "macro onset F1 ±1": onset["1"],
        "onset F1": found["onset_f1"]["0"], "onset F1 ±1": found["onset_f1"]["1"],
        "dx R²": mouse["dx"]["r2"], "dy R²": mouse["dy"]["r2"],
    }  # fmt: skip
    print(json.dumps({name: round(value, 3) for name, value in facts.items()}, ensure_ascii=False), flush=True)
    return 0


def _fit(takes: Sequence[Take], features: Sequence[NDArray[np.float32]], space: ActionSpace) -> nn.Sequential:
    torch.manual_seed(0)
    seen = torch.from_numpy(np.concatenate(features))
    keys = torch.from_numpy(np.concatenate([take.keys for take in takes])).float()
    motion = torch.from_numpy(np.concatenate([take.motion for take in takes]))
    spread = motion.std(dim=0).clamp(min=1e-6)
    net = nn.Sequential(
        nn.Linear(seen.shape[1], _HIDDEN), nn.SiLU(), nn.Dropout(0.2),
        nn.Linear(_HIDDEN, _HIDDEN), nn.SiLU(), nn.Dropout(0.2),
        nn.Linear(_HIDDEN, len(space.codes) + 2),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.02)
    for _ in range(_STEPS):
        rows = torch.randint(len(seen), (_BATCH,))
        said = net(seen[rows])
        pressed = functional.binary_cross_entropy_with_logits(said[:, :-2], keys[rows])
        loss = pressed * len(space.codes) + (said[:, -2:] - motion[rows] / spread).square().mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():  # says device counts from now on
        last = net[-1]
        assert isinstance(last, nn.Linear)
        last.weight[-2:] *= spread[:, None]
        last.bias[-2:] *= spread
    return net.eval()


def _predict(net: nn.Sequential, features: NDArray[np.float32], space: ActionSpace) -> Prediction:
    with torch.inference_mode():
        said = net(torch.from_numpy(features))
    chance = said[:, :-2].sigmoid().numpy()
    flat = tuple(np.full((len(features), len(v)), 1 / len(v), np.float32) for v in (space.dx_values, space.dy_values))
    return Prediction(chance, chance >= 0.5, said[:, -2:].numpy(), (flat[0], flat[1]))
