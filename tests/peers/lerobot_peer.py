"""LeRobot reads a dataset, or writes one. Run by the peers' own Python."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import torch

# PyPI's torchvision is built for CUDA: beside a torch for CPUs its operators are missing, and only their names are needed here.
_names = torch.library.Library("torchvision", "DEF")
if "+cpu" in torch.__version__:
    for _name in ("nms", "qnms", "roi_align"):
        _names.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: E402

PICTURES = "observation.images.screen"


def read(folder: Path) -> dict:
    """Every frame, with a window of time before it as a policy asks for it."""
    window = {PICTURES: [-0.1, 0.0], "action": [0.0, 0.1]}
    dataset = LeRobotDataset("playtape/export", root=folder, delta_timestamps=window)
    items = [dataset[i] for i in range(len(dataset))]
    return {
        "version": importlib.metadata.version("lerobot"),
        "frames": len(items),
        "episodes": dataset.num_episodes,
        "names": dataset.meta.features["action"]["names"],
        "actions": [item["action"][0].tolist() for item in items],
        "tasks": [item["task"] for item in items],
        "episode_of": [int(item["episode_index"]) for item in items],
        "luma": [float(item[PICTURES][1].mean()) for item in items],
        "mean": np.array(dataset.meta.stats["action"]["mean"]).tolist(),
    }


def write(folder: Path) -> dict:
    """Two episodes; picture i of episode e is of brightness 40 e + i."""
    actions = ["KEY_W", "BTN_LEFT", "REL_X", "REL_Y"]
    features = {
        PICTURES: {"dtype": "video", "shape": (48, 64, 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (4,), "names": actions},
        "observation.state": {"dtype": "float32", "shape": (2,), "names": ["x", "y"]},
    }
    dataset = LeRobotDataset.create("playtape/theirs", fps=20, root=folder, features=features, use_videos=True)
    said = {"version": importlib.metadata.version("lerobot"), "actions": [], "tasks": [], "luma": []}
    for episode in range(2):
        for i in range(40):
            action = [float(5 <= i < 20), float(i == 30), 1.5 if i % 4 == 0 else 0.0, -float(i == 7)]
            task = "go" if i < 25 else "stand still"
            luma = 40 * episode + i * 2 + 20
            said["actions"].append(action)
            said["tasks"].append(task)
            said["luma"].append(luma)
            dataset.add_frame(
                {
                    PICTURES: np.full((48, 64, 3), luma, np.uint8),
                    "action": np.array(action, np.float32),
                    "observation.state": np.zeros(2, np.float32),
                    "task": task,
                }
            )
        dataset.save_episode()
    dataset.finalize()
    return said


if __name__ == "__main__":
    print(json.dumps({"read": read, "write": write}[sys.argv[1]](Path(sys.argv[2]))))
