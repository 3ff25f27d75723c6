from __future__ import annotations

from pathlib import Path

import pytest

from db.errors import BadArgument, BadFile
from trainer.scoring.paraphrases import drawn, read_paraphrases, unseen


def test_only_wordings_that_were_not_taught_are_left() -> None:
    words = {"go left": ("Turn Left", "head west"), "stop": ("halt",), "unused": ("x",)}
    assert unseen(words, {"go left", "stop", ""}, {"go left", "turn left"}) == {
        "go left": ("head west",),
        "stop": ("halt",),
    }
    with pytest.raises(BadArgument, match="'stop'"):
        unseen(words, {"stop"}, {"halt"})
    with pytest.raises(BadArgument, match="'wait'"):
        unseen(words, {"go left", "wait"}, set())


def test_a_draw_stays_and_others_differ() -> None:
    words = {"go": tuple(f"word {i}" for i in range(50)), "stop": ("halt",)}
    say = drawn(words, 0)
    assert say("go") == say("go") in words["go"]
    assert (say("stop"), say("")) == ("halt", "")
    assert len({drawn(words, seed)("go") for seed in range(10)}) > 3


@pytest.mark.parametrize("text", ["", "[]", '{"go": "run"}', '{"go": []}', '{"go": [1]}', '{"go": [""]}', "{"])
def test_a_file_of_something_else_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "words.json"
    path.write_text(text)
    with pytest.raises(BadFile, match="other wordings") as caught:
        read_paraphrases(path)
    assert "\n" not in str(caught.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text('{"go": ["run", "hurry"]}')
    assert read_paraphrases(path) == {"go": ("run", "hurry")}
    with pytest.raises(BadFile, match="cannot be read"):
        read_paraphrases(tmp_path / "nowhere.json")
