from __future__ import annotations

import json
import os
from pathlib import Path

from db.library.models import model_cards, named_models


def write(folder: Path, card: object, age_s: int = 0) -> None:
    folder.mkdir(parents=True)
    path = folder / "model.json"
    path.write_text(card if isinstance(card, str) else json.dumps(card))
    os.utime(path, (1000 - age_s, 1000 - age_s))


def test_the_models_of_a_kind_the_newest_first_and_what_is_damaged_left_out(tmp_path: Path) -> None:
    write(tmp_path / "policy-old", {"config": {"kind": "policy"}}, age_s=9)
    write(tmp_path / "policy-new", {"config": {"kind": "policy"}})
    write(tmp_path / "idm-1", {"config": {"kind": "idm"}}, age_s=5)
    (tmp_path / "policy-old" / "name.txt").write_text("Ada's\n")
    for number, damage in enumerate(("", "[1]", '{"config": 3}', '{"config": {"kind": "pol', '"text"')):
        write(tmp_path / f"damaged-{number}", damage)
    write(tmp_path / ".trash" / "policy-gone", {"config": {"kind": "policy"}})
    assert [model.title for model in named_models(tmp_path, "policy")] == ["policy-new", "Ada's"]
    assert named_models(tmp_path / "nowhere", "policy") == []
    whole = [folder.name for folder, _ in model_cards(tmp_path) if not folder.name.startswith("damaged")]
    assert whole == ["policy-new", "idm-1", "policy-old"]
