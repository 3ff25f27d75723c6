from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from db.errors import BadArgument, BadFile, NotFound, PlaytapeError
from db.recording.profiles import (
    GameProfile,
    QaLimits,
    delete_profile,
    list_profiles,
    load_profile,
    profile_for,
    profile_path,
    save_profile,
)
from db.recording.session import read_meta
from recordings import KEY_W, Take

DOOM = GameProfile(name="Doom", title_pattern="doom", keys=(KEY_W,), idle_s=30, limits=QaLimits(max_key_share_pct=90))


def test_a_profile_comes_back(tmp_path: Path) -> None:
    save_profile(tmp_path, DOOM)
    assert load_profile(tmp_path, "Doom") == DOOM
    assert list_profiles(tmp_path) == [DOOM]
    changed = DOOM.model_copy(update={"idle_s": 5.0})
    save_profile(tmp_path, changed)
    assert list_profiles(tmp_path) == [changed]
    delete_profile(tmp_path, "Doom")
    assert list_profiles(tmp_path) == []
    for gone in (load_profile, delete_profile):
        with pytest.raises(NotFound, match="There is no profile for 'Doom'"):
            gone(tmp_path, "Doom")


def test_names_that_differ_only_in_case_and_blanks_are_one(tmp_path: Path) -> None:
    save_profile(tmp_path, DOOM)
    save_profile(tmp_path, DOOM.model_copy(update={"name": "  dOOm "}))
    assert [profile.name for profile in list_profiles(tmp_path)] == ["  dOOm "]
    assert load_profile(tmp_path, "DOOM").name == "  dOOm "
    assert profile_path(tmp_path, "doom ii") == profile_path(tmp_path, "Doom  II")
    assert profile_path(tmp_path, "doom ii") != profile_path(tmp_path, "doom-ii")


def test_the_first_that_matches_a_title(tmp_path: Path) -> None:
    save_profile(tmp_path, DOOM)
    save_profile(tmp_path, GameProfile(name="Anything"))
    save_profile(tmp_path, GameProfile(name="Chess", title_pattern=r"^(GNOME )?Chess\b"))
    assert profile_for(tmp_path, "Freedoom: Phase 1") == DOOM
    assert (profile_for(tmp_path, "gnome chess - move 3") or DOOM).name == "Chess"
    assert profile_for(tmp_path, "Chessboxing") is None
    assert profile_for(tmp_path / "nowhere", "Doom") is None


def test_a_library_without_profiles(tmp_path: Path) -> None:
    assert list_profiles(tmp_path) == []
    with pytest.raises(NotFound):
        delete_profile(tmp_path, "Doom")


@pytest.mark.parametrize("name", ["", "   ", "\n"])
def test_a_profile_has_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArgument, match="needs a name"):
        profile_path(tmp_path, name)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "..", ".", "a\0b", "CON", "a/b\\c", "☃", "x" * 200, "con.json", "~root", "-rf"],
)
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    path = profile_path(tmp_path, name)
    assert path.parent == tmp_path / "profiles"
    assert path.name.isascii()
    assert len(path.name) < 80
    save_profile(tmp_path, GameProfile(name=name))
    assert load_profile(tmp_path, name).name == name
    assert [entry.name for entry in tmp_path.iterdir()] == ["profiles"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=200).filter(lambda name: name.isprintable() and bool(name.strip())))
def test_any_name_comes_back(tmp_path: Path, name: str) -> None:
    save_profile(tmp_path, GameProfile(name=name))
    assert load_profile(tmp_path, name).name == name


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"title_pattern": "("},
        {"title_pattern": "[z-a]"},
        {"keys": [0]},
        {"keys": [0x300]},
        {"keys": ["W"]},
        {"idle_s": -1},
        {"idle_s": float("nan")},
        {"idle_s": 1e9},
        {"rate_hz": 0},
        {"rate_hz": 1000},
        {"limits": {"max_black_pct": 101}},
        {"limits": {"max_black_pct": float("nan")}},
        {"limits": {"max_frame_gap_s": 0}},
        {"limits": {"max_frame_gap_s": float("inf")}},
        {"limits": {"min_length_s": float("inf")}},
        {"limits": {"max_interval_ratio": float("inf")}},
        {"limits": {"min_mouse_counts": float("nan")}},
        {"limits": {"max_keys_at_once": 0}},
        {"limits": {"max_cheating": 1}},
        {"color": "red"},
    ],
    ids=str,
)
def test_values_that_cannot_be(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GameProfile.model_validate({"name": "g"} | fields)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", "the file"),
        (b"\xff\xfe", "cannot be read"),
        (b"[]", "the file"),
        (b"{", "the file"),
        (b"[" * 100_000, "the file"),
        (b'{"name": "Doom", "idle_s": "soon"}', "idle_s"),
        (b'{"name": "Doom", "limits": {"max_black_pct": 500}}', r"limits\.max_black_pct"),
        (b'{"name": "Doom", "title_pattern": "("}', "title_pattern"),
        (b'{"name": "Doom", "keys": [1, 2, 99999]}', r"keys\.2"),
        (b'{"name": "Doom", "exec": "rm"}', "exec"),
    ],
)
def test_damage_names_its_place_and_hides_no_other_profile(tmp_path: Path, content: bytes, place: str) -> None:
    save_profile(tmp_path, DOOM)
    save_profile(tmp_path, GameProfile(name="Chess"))
    profile_path(tmp_path, "Doom").write_bytes(content)
    assert [profile.name for profile in list_profiles(tmp_path)] == ["Chess"]
    with pytest.raises(BadFile, match=place):
        load_profile(tmp_path, "Doom")
    assert profile_for(tmp_path, "Doom") is None


def test_what_is_no_file_in_the_folder(tmp_path: Path) -> None:
    save_profile(tmp_path, DOOM)
    (tmp_path / "profiles" / "folder.json").mkdir()
    (tmp_path / "profiles" / "gone.json").symlink_to(tmp_path / "nowhere")
    assert list_profiles(tmp_path) == [DOOM]


def test_a_full_disk_keeps_the_old_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_profile(tmp_path, DOOM)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlaytapeError, match="no room"):
        save_profile(tmp_path, DOOM.model_copy(update={"idle_s": 1.0}))
    assert list_profiles(tmp_path) == [DOOM]


def test_every_limit_has_a_default_so_that_old_profiles_are_read(tmp_path: Path) -> None:
    save_profile(tmp_path, DOOM)
    path = profile_path(tmp_path, "Doom")
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["limits"] = {"max_key_share_pct": 90.0}
    path.write_text(json.dumps(facts), encoding="utf-8")
    assert load_profile(tmp_path, "Doom") == DOOM


def test_the_profile_travels_with_the_session(tmp_path: Path) -> None:
    take = Take()
    take.write(tmp_path / "session", take.meta().model_copy(update={"profile": DOOM}))
    assert read_meta(tmp_path / "session").profile == DOOM
