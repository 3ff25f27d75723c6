from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from db.errors import BadFile, NotFound, TooNew
from db.files import replace_text
from db.recording.session import META_NAME, is_recording, read_meta, recording_lock, release_lock, write_meta
from recordings import Take


def test_metadata_round_trips(tmp_path: Path) -> None:
    meta = Take(game="doom", player="ünï ☃").meta()
    write_meta(tmp_path, meta)
    assert read_meta(tmp_path) == meta
    assert [p.name for p in tmp_path.iterdir()] == [META_NAME]


def test_the_stored_size_is_even_and_the_windows_is_kept() -> None:
    meta = Take(size_px=(641, 479)).meta()
    assert meta.size_px == (640, 478)
    assert meta.window.size_px == (641, 479)
    assert meta.actors[0].name == "ann"


def test_a_newer_format_is_too_new_even_with_fields_we_do_not_know(tmp_path: Path) -> None:
    write_meta(tmp_path, Take().meta())
    fields = json.loads((tmp_path / META_NAME).read_text())
    (tmp_path / META_NAME).write_text(json.dumps(fields | {"format": 99, "smell": "pine"}))
    with pytest.raises(TooNew, match=r"session\.json has format 99.*update Playtape"):
        read_meta(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '{"format": "x"}', '{"format": 1}', "\udcff\udcfe"]
)
def test_damaged_metadata_is_told_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / META_NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadFile, match=r"session\.json") as caught:
        read_meta(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../etc"}, {"group_id": "../x"}, {"t_stop_ns": 2**70}, {"size_px": [0, 5]}, {"unknown": 1},
        {"segments": [{"name": "../video-000.mkv", "first_frame": 0}]}, {"anchor": {"mono_ns": -1, "wall_ns": 0, "boot_ns": 0}},
    ],
)  # fmt: skip
def test_hostile_values_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    write_meta(tmp_path, Take().meta())
    fields = json.loads((tmp_path / META_NAME).read_text())
    (tmp_path / META_NAME).write_text(json.dumps(fields | change))
    with pytest.raises(BadFile, match="is damaged at"):
        read_meta(tmp_path)


def test_a_missing_session_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds no session"):
        read_meta(tmp_path)


def test_replacing_fails_without_touching_the_old_text(tmp_path: Path) -> None:
    (tmp_path / "a.new").mkdir()
    (tmp_path / "a").write_text("old")
    with pytest.raises(BadFile):
        replace_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"


def test_the_lock_tells_whether_somebody_records(tmp_path: Path) -> None:
    assert not is_recording(tmp_path)
    assert list(tmp_path.iterdir()) == []  # looking leaves nothing behind
    lock = recording_lock(tmp_path)
    lock.acquire()
    assert is_recording(tmp_path)
    release_lock(tmp_path, lock)
    assert not is_recording(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_id_is_always_a_uuid() -> None:
    with pytest.raises(ValidationError):
        Take().meta().model_copy().model_validate({**Take().meta().model_dump(), "id": "x"})
