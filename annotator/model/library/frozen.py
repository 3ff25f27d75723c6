"""The library's frozen datasets: what is in each, from `datasets/<id>/manifest.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotator.model.library.contents import Contents, of_manifest

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class Frozen:
    """One dataset, in figures."""

    id: str
    created_at: str
    contents: Contents
    size_px: tuple[int, int]
    rate_hz: float
    split_by: str
    asked: str
    """What was asked of its sessions, in words; "" for all that are accepted."""

    @property
    def seconds(self) -> float:
        """What people did, and what was imputed."""
        return (sum(self.contents.hours) + self.contents.imputed_hours) * 3600


class DatasetFolder:
    """Reads a manifest once: a frozen dataset never changes. For one thread."""

    def __init__(self, datasets_dir: Path) -> None:
        self._datasets_dir = datasets_dir
        self._known: dict[str, Frozen | None] = {}

    def datasets(self) -> list[Frozen]:
        """The newest first; folders whose manifest cannot be read are left out."""
        paths = {path.parent.name: path for path in self._datasets_dir.glob(f"*/{MANIFEST_NAME}")}
        self._known = {name: self._known[name] for name in self._known.keys() & paths.keys()}
        for name in paths.keys() - self._known.keys():
            self._known[name] = read_frozen(paths[name])
        found = [frozen for frozen in self._known.values() if frozen is not None]
        return sorted(found, key=lambda frozen: (frozen.created_at, frozen.id), reverse=True)


def read_frozen(path: Path) -> Frozen | None:
    """None where it cannot be read."""
    try:
        says = json.loads(path.read_text(encoding="utf-8"))
        clip = says["clip"]
        return Frozen(
            id=path.parent.name,
            created_at=str(says["created_at"]),
            contents=of_manifest(says),
            size_px=(int(clip["size_px"][0]), int(clip["size_px"][1])),
            rate_hz=float(clip["rate_hz"]),
            split_by=str(says["split_by"]),
            asked=_asked(says.get("choice") or {}),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _asked(choice: dict[str, Any]) -> str:
    parts = [" or ".join(map(str, choice[name])) for name in ("games", "players", "tags") if choice.get(name)]
    parts += [f"from {str(choice['since'])[:10]}"] if choice.get("since") else []
    parts += [f"before {str(choice['until'])[:10]}"] if choice.get("until") else []
    if choice.get("min_grade") in ("usable", "good"):
        parts.append(f"{choice['min_grade']} or better")
    return ", ".join([*parts, *(["not only accepted"] if choice.get("review") == "any" else [])])
