"""What a dataset holds, or would hold: as the trainer's preview tells it, and as a frozen manifest does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db.recording.keys import label

SPLITS = ("train", "calibration", "held-out")


@dataclass(frozen=True)
class KeyBalance:
    """How much of one key there is."""

    name: str
    share: float
    """Of the time for which it is down."""
    presses: tuple[int, ...]
    """By SPLITS."""


@dataclass(frozen=True)
class Contents:
    """Counts of what can be learnt."""

    sessions: int = 0
    splits: tuple[int, ...] = (0, 0, 0)
    """Sessions by SPLITS; all 0 where nothing can be split."""
    hours: tuple[float, ...] = (0.0, 0.0, 0.0)
    """By SPLITS."""
    games: tuple[tuple[str, float], ...] = ()
    """(game, hours)."""
    players: tuple[tuple[str, float], ...] = ()
    """(player, hours)."""
    keys: tuple[KeyBalance, ...] = ()
    """The most pressed first."""
    told_share: float | None = None
    """Of the time, the share with an instruction; None where that is not told."""
    videos: int = 0
    video_hours: float = 0.0
    imputed_hours: float = 0.0
    warnings: tuple[str, ...] = ()
    problem: str = ""
    """Why nothing can be trained on it."""


def of_preview(says: dict[str, Any]) -> Contents:
    """From what `playtape-train dataset --preview --json` prints. Raises KeyError, TypeError for anything else."""
    return Contents(
        sessions=says["sessions"],
        splits=tuple(says["splits"][split] for split in SPLITS),
        hours=tuple(says["hours"][split] for split in SPLITS),
        games=tuple(says["games"].items()),
        players=tuple(says["players"].items()),
        keys=tuple(
            KeyBalance(key["name"], key["share"], tuple(key["presses"][split] for split in SPLITS))
            for key in says["keys"]
        ),
        told_share=says["told_share"],
        videos=says["videos"],
        video_hours=says["video_hours"],
        warnings=tuple(says["warnings"]),
        problem=says["problem"],
    )


def of_manifest(says: dict[str, Any]) -> Contents:
    """From a manifest. Raises KeyError, TypeError where it is none."""
    items = [item for item in says["items"] if not item.get("imputed")]
    keys = [
        KeyBalance(label(key["code"]), key["train_share"], (key["train_presses"], 0, key["held_out_presses"]))
        for key in says["keys"]
    ]
    return Contents(
        sessions=len(items),
        splits=tuple(sum(item["split"] == split for item in items) for split in SPLITS),
        hours=tuple(says["hours"][split] for split in SPLITS),
        games=tuple(says.get("games", {}).items()),
        keys=tuple(sorted(keys, key=lambda key: -sum(key.presses))),
        imputed_hours=says.get("imputed_hours", 0.0),
        warnings=tuple(says["warnings"]),
    )
