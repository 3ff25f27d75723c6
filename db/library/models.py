"""Which trained models a library holds, as far as one can say without the trainer: each one's id, kind and name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

CARD_NAME, NAME_NAME = "model.json", "name.txt"
LONGEST_NAME = 80


@dataclass(frozen=True)
class NamedModel:
    id: str
    kind: str
    """`idm` or `policy`."""
    name: str = ""
    """What a person called it."""

    @property
    def title(self) -> str:
        return self.name or self.id


def named_models(models_dir: Path, kind: str) -> list[NamedModel]:
    """The models of a kind, newest first; folders whose card cannot be read are left out."""
    found: list[tuple[float, NamedModel]] = []
    for card in models_dir.glob(f"[!.]*/{CARD_NAME}"):
        try:
            if json.loads(card.read_text(encoding="utf-8"))["config"]["kind"] == kind:
                found.append((card.stat().st_mtime, NamedModel(card.parent.name, kind, read_name(card.parent))))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return [model for _, model in sorted(found, key=lambda entry: (-entry[0], entry[1].id))]


def read_name(folder: Path) -> str:
    """What a person called the model in this folder, "" where nobody named it."""
    try:
        return (folder / NAME_NAME).read_text(encoding="utf-8", errors="replace").strip()[:LONGEST_NAME]
    except OSError:
        return ""
