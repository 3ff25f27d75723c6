"""The library's trained models, by what their cards and their evaluations say of themselves."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.errors import BadArgument, NotFound, from_os_error
from db.files import replace_text
from db.library.models import LONGEST_NAME, NAME_NAME, model_cards, read_name

EVALUATION_NAME, PAGE_NAME = "evaluation.json", "card.html"
_TRASH = ".trash"
OWN = "model"
BASELINES = ("always released", "marginal", "repeat last")
HEADLINES = {
    "idm": ("macro_ap", "macro_onset_f1_1", "dx_r2", "dy_r2"),
    "policy": ("macro_ap", "macro_onset_f1_1", "entropy"),
}
FIGURE_WORDS = {
    "macro_ap": "macro AP",
    "macro_onset_f1_1": "macro onset F1, ±1 frame",
    "onset_f1_1": "onset F1, ±1 frame",
    "dx_r2": "mouse R², across",
    "dy_r2": "mouse R², down",
    "entropy": "cross-entropy, nats",
}


@dataclass(frozen=True)
class Trained:
    """One model."""

    id: str
    kind: str
    """`idm` or `policy`."""
    name: str = ""
    """What a person called it."""
    config: str = ""
    dataset: str = ""
    created_at: str = ""
    steps: int = 0
    parameters: int = 0
    figures: dict[str, float | None] = field(default_factory=dict)
    """Of the calibration split, from training."""
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """FIGURE_WORDS' figures of the model and each baseline on the same held-out rows; empty where nobody evaluated it."""
    has_page: bool = False

    @property
    def title(self) -> str:
        return self.name or self.id


def trained_models(models_dir: Path, kind: str = "") -> list[Trained]:
    """The models of a kind, or all, newest first; folders whose card cannot be read are left out."""
    found = []
    for folder, says in model_cards(models_dir, kind):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            found.append(_trained(folder, says))
    return found


def name_model(models_dir: Path, model_id: str, name: str) -> None:
    """Gives a model a name beside its id; "" takes it away. Raises BadArgument, StoreReadOnly, DiskFull."""
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise BadArgument(f"A name has at most {LONGEST_NAME} letters.")
    path = models_dir / model_id / NAME_NAME
    try:
        if name:
            replace_text(path, name + "\n")
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise from_os_error(error, path) from None


def trash_model(models_dir: Path, model_id: str) -> None:
    """Puts a model aside, for `restore_model`, until `empty_models_trash`. Raises StoreReadOnly, DiskFull."""
    _move(models_dir / model_id, models_dir / _TRASH / model_id)


def restore_model(models_dir: Path, model_id: str) -> None:
    """Raises NotFound where it is gone for good by now, StoreReadOnly."""
    if not (models_dir / _TRASH / model_id).is_dir():
        raise NotFound(f"Model {model_id} is not in the trash any more.")
    _move(models_dir / _TRASH / model_id, models_dir / model_id)


def trashed_models(models_dir: Path) -> list[str]:
    return sorted(path.name for path in (models_dir / _TRASH).glob("*") if path.is_dir())


def empty_models_trash(models_dir: Path) -> int:
    """Deletes what is in it for good; how many models that were. Raises StoreReadOnly."""
    doomed = trashed_models(models_dir)
    try:
        for model_id in doomed:
            shutil.rmtree(models_dir / _TRASH / model_id)
    except OSError as error:
        raise from_os_error(error, models_dir / _TRASH) from None
    return len(doomed)


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    except OSError as error:
        raise from_os_error(error, source) from None


def _trained(folder: Path, says: dict[str, Any]) -> Trained:
    config = says["config"]
    return Trained(
        id=folder.name,
        kind=str(config["kind"]),
        name=read_name(folder),
        config=str(config.get("name") or ""),
        dataset=str(says.get("dataset_id") or ""),
        created_at=str(says.get("created_at") or ""),
        steps=int(says.get("steps") or 0),
        parameters=int(says.get("parameters") or 0),
        figures={name: value for name, value in (says.get("figures") or {}).items() if name in FIGURE_WORDS},
        scores=_scores(folder / EVALUATION_NAME, str(config["kind"])),
        has_page=(folder / PAGE_NAME).is_file(),
    )


def _scores(path: Path, kind: str) -> dict[str, dict[str, float | None]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["scores"]
        return {who: _headline(found[who], kind) for who in (OWN, *BASELINES) if who in found}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _headline(score: dict[str, Any], kind: str) -> dict[str, float | None]:
    told = {
        "macro_ap": score["macro_ap"],
        "macro_onset_f1_1": score["macro_onset_f1"]["1"],
        "dx_r2": score["mouse"]["dx"]["r2"],
        "dy_r2": score["mouse"]["dy"]["r2"],
        "entropy": score["cross_entropy"]["all"],
    }
    return {name: told[name] for name in HEADLINES.get(kind, ())}
