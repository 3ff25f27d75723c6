"""The library's trained models, by what their cards say of themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

CARD_NAME = "model.json"


@dataclass(frozen=True)
class Trained:
    id: str
    kind: str
    """`idm` or `policy`."""


def trained_models(models_dir: Path, kind: str) -> list[Trained]:
    """The models of a kind, newest first; folders whose card cannot be read are left out."""
    found: list[tuple[float, Trained]] = []
    for card in models_dir.glob(f"*/{CARD_NAME}"):
        try:
            says = json.loads(card.read_text(encoding="utf-8"))["config"]["kind"]
            if says == kind:
                found.append((card.stat().st_mtime, Trained(card.parent.name, kind)))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return [model for _, model in sorted(found, key=lambda entry: -entry[0])]
