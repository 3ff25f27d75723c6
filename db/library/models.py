"""Which trained models a library holds, as far as one can say without the trainer: each one's id, kind and name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def model_cards(models_dir: Path, kind: str = "") -> list[tuple[Path, dict[str, Any]]]:
    """The folders and cards of the models of a kind, or of all, newest first. A card that is no JSON, or of another kind than
    asked for, is left out; what else a card says is not looked at."""
    found: list[tuple[float, Path, dict[str, Any]]] = []
    for card in models_dir.glob(f"[!.]*/{CARD_NAME}"):
        try:
            says = json.loads(card.read_text(encoding="utf-8"))
            if not kind or says["config"]["kind"] == kind:
                found.append((card.stat().st_mtime, card.parent, says))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return [(folder, says) for _, folder, says in sorted(found, key=lambda entry: (-entry[0], entry[1].name))]


def named_models(models_dir: Path, kind: str) -> list[NamedModel]:
    """The models of a kind, newest first."""
    return [NamedModel(folder.name, kind, read_name(folder)) for folder, _ in model_cards(models_dir, kind)]


def read_name(folder: Path) -> str:
    """What a person called the model in this folder, "" where nobody named it."""
    try:
        return (folder / NAME_NAME).read_text(encoding="utf-8", errors="replace").strip()[:LONGEST_NAME]
    except OSError:
        return ""
