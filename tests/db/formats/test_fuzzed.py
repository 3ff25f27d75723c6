"""What the fuzzer began with, and whatever broke a parser once, is fed to it ever after (tests/fuzz)."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
from fuzz import targets

BROKEN = Path(targets.__file__).with_name("broken")
INPUTS = [
    (name, source, data)
    for name, target in targets.TARGETS.items()
    for source, data in [
        *((f"seed {i}", seed) for i, seed in enumerate(target.seeds())),
        *((path.name, path.read_bytes()) for path in sorted((BROKEN / name).glob("*"))),
    ]
]


@pytest.mark.parametrize(("name", "source", "data"), INPUTS, ids=[f"{name} {source}" for name, source, _ in INPUTS])
def test_a_parser_keeps_its_word(tmp_path, name, source, data):
    targets.TARGETS[name].feed(data, tmp_path)
    for cut in range(0, len(data), max(len(data) // 20, 1)):  # and every beginning of it
        targets.TARGETS[name].feed(data[:cut], tmp_path)
