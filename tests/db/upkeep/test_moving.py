"""A library is moved whole: the old folder is the library until the new one is, whatever happens in between."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from db.__main__ import main
from db.errors import BadArgument, BadFile, DiskFull, NotFound, StoreLocked
from db.labelling.labels import Edit, LabelKind
from db.library.index import NAME as INDEX
from db.recording.session import recording_lock
from db.settings import LibrarySettings, read_settings, write_settings
from db.store import Store
from db.upkeep import arrivals, moving
from db.upkeep.fence import LEAVING
from db.upkeep.moving import finish_move, give_up, move_library, unfinished_move
from db.upkeep.pointer import ARRIVING, follow, read_pointer, write_pointer
from db.upkeep.pointer import NAME as POINTER
from recordings import Take, record

MOVE = """
import os, sys, time
from pathlib import Path
from db.upkeep import arrivals
from db.upkeep.moving import move_library
from db.store import Store
if sys.argv[3] == "copy":
    def refuse(*names): raise OSError(18, "other disk")
    os.link = refuse
    arrivals._CHUNK_BYTES = 4096
with Store.open(Path(sys.argv[1]), create=False) as store:
    print("begun", flush=True)
    move_library(store, Path(sys.argv[2]))
print("done", flush=True)
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A library of three sessions with labels, settings, a model and a cache."""
    with Store.open(tmp_path / "old") as store:
        for number in range(3):
            session_id = record(store, Take(count=20, game=f"game {number}"))
            store.commit([Edit(session_id=session_id, kind=LabelKind.TAG, value="kept", author="ann")])
        write_settings(store.root, LibrarySettings(no_self_accept=True))
        (store.models_dir / "policy").mkdir()
        (store.models_dir / "policy" / "weights").write_bytes(os.urandom(300_000))
        (store.cache_dir / "picture").write_bytes(b"p")
    return tmp_path / "old"


def assert_whole(folder: Path, sessions: int = 3) -> Path:
    """Opens whatever library is found from `folder`, and finds everything in it; gives where it is."""
    with Store.open(folder, create=False) as store:
        lines = store.search(tag="kept")
        assert len(lines) == sessions
        assert [store.verify(line.id) for line in lines] == [[]] * sessions
        assert read_settings(store.root).no_self_accept
        assert (store.models_dir / "policy" / "weights").stat().st_size == 300_000
        store.commit([Edit(session_id=lines[0].id, kind=LabelKind.NOTE, value="written", author="ann")])
        assert store.recover() == []
        return store.root


@pytest.mark.parametrize("way", ["link", "copy"])
def test_a_library_is_moved_and_the_old_folder_leads_there(source, tmp_path, way, monkeypatch) -> None:
    if way == "copy":
        monkeypatch.setattr(arrivals, "_link", lambda path, copy: False)
    target, told = tmp_path / "there" / "new", []
    with Store.open(source) as store:
        assert move_library(store, target, lambda done, total: told.append((done, total)))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] > 300_000
    assert {path.name for path in source.iterdir()} == {POINTER}
    assert assert_whole(source) == target
    assert {path.name for path in target.iterdir()} >= {INDEX, "sessions", "settings.json"}
    assert not (target / "arrived.jsonl").exists()
    assert not list(target.rglob("*.part"))


def test_it_can_be_moved_on_and_back(source, tmp_path) -> None:
    for place in ("b", "c", "old", "b"):
        with Store.open(source) as store:
            assert move_library(store, tmp_path / place)
        assert assert_whole(source) == tmp_path / place
        assert assert_whole(tmp_path / place) == tmp_path / place
    assert not (tmp_path / "b" / POINTER).exists()


def test_a_new_folder_that_is_gone_is_said_and_no_empty_library_is_made(source, tmp_path) -> None:
    with Store.open(source) as store:
        move_library(store, tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    with pytest.raises(NotFound, match="connect its disk"):
        Store.open(source)
    assert {path.name for path in source.iterdir()} == {POINTER}
    (source / POINTER).write_text("{")
    with pytest.raises(BadFile, match="mend it"):
        Store.open(source)


def test_a_cancelled_move_leaves_nothing(source, tmp_path) -> None:
    with Store.open(source) as store:
        assert not move_library(store, tmp_path / "new", cancelled=lambda: True)
    assert not (tmp_path / "new").exists()
    assert not (source / LEAVING).exists()
    assert assert_whole(source) == source


def test_places_that_do_not_do(source, tmp_path, monkeypatch) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    with Store.open(source) as store:
        for place, why in (("full", "not empty"), ("file", "is a file"), ("old/inside", "into itself"), ("", "itself")):
            with pytest.raises(BadArgument, match=why):
                move_library(store, tmp_path / place)
        (session,) = store.search(game="game 0")
        with recording_lock(store.session_folder(session.id)), pytest.raises(BadArgument, match="stop the recording"):
            move_library(store, tmp_path / "new")
        (store.runs_dir / "idm-1").mkdir()
        (store.runs_dir / "idm-1" / "heartbeat").touch()
        with pytest.raises(BadArgument, match="training run idm-1"):
            move_library(store, tmp_path / "new")
        os.utime(store.runs_dir / "idm-1" / "heartbeat", (1e9, 1e9))
        monkeypatch.setattr(moving, "free_bytes", lambda folder: 10)
        with pytest.raises(DiskFull, match="choose another place"):
            move_library(store, tmp_path / "new")
        give_up(store.root)
    assert (tmp_path / "full" / "letter.txt").read_text() == "mine"
    assert assert_whole(source) == source


def test_a_disk_that_loses_what_it_is_given_is_found_out(source, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(arrivals, "_link", lambda path, copy: False)
    monkeypatch.setattr(arrivals, "_digest", lambda path: b"other")
    with Store.open(source) as store, pytest.raises(BadFile, match="not to be trusted"):
        move_library(store, tmp_path / "new")
    assert assert_whole(source) == source


def test_what_changes_while_it_is_moved_is_moved_too(source, tmp_path, monkeypatch) -> None:
    with Store.open(source) as store, Store.open(source) as other:
        lines = store.search()
        switch = moving._switch

        def busy(*given) -> None:
            other.delete(lines[0].id)
            other.commit([Edit(session_id=lines[1].id, kind=LabelKind.TAG, value="late", author="bob")])
            record(other, Take(count=10, game="late"))
            switch(*given)

        monkeypatch.setattr(moving, "_switch", busy)
        assert move_library(store, tmp_path / "new")
        with pytest.raises((StoreLocked, NotFound)):
            other.commit([Edit(session_id=lines[1].id, kind=LabelKind.TAG, value="too late", author="bob")])
    with Store.open(source) as store:
        assert {line.game for line in store.search()} == {"late", lines[1].game, lines[2].game}
        assert len(store.search(tag="late")) == 1
        assert not (store.sessions_dir / lines[0].id).exists()
        assert store.recover() == []


def test_a_failure_at_the_last_moment_gives_the_old_library_back(source, tmp_path, monkeypatch) -> None:
    def fail(*given) -> None:
        raise OSError(28, "No space left on device")

    with Store.open(source) as store:
        with monkeypatch.context() as patch:
            patch.setattr(moving, "write_pointer", fail)
            with pytest.raises(DiskFull):
                move_library(store, tmp_path / "new")
        assert unfinished_move(store.root) == tmp_path / "new"
        with pytest.raises(NotFound, match="not whole yet"):
            Store.open(tmp_path / "new")
        with pytest.raises(BadArgument, match="go on with it or give it up"):
            move_library(store, tmp_path / "elsewhere")
    assert assert_whole(source) == source
    give_up(source)
    assert not (tmp_path / "new").exists()


def test_a_fence_that_a_killed_mover_left_is_taken_away(source, tmp_path) -> None:
    from db.upkeep.fence import put_fence

    with Store.open(source) as store, Store.open(source) as other:
        (source / LEAVING).write_text(str(tmp_path / "new"))
        with store.writing() as connection:
            put_fence(connection)
        with pytest.raises(StoreLocked, match="being moved"):
            other.add_person("eve")
    assert assert_whole(source) == source


def test_a_recording_that_was_stopped_late_follows(source, tmp_path, monkeypatch) -> None:
    take = Take(count=10, game="late")
    meta = take.meta()
    with Store.open(source) as store:
        monkeypatch.setattr(moving, "finish_move", lambda root: [])
        move_library(store, tmp_path / "new")
        monkeypatch.undo()
        folder = store.create_session(meta)
        take.write(folder, meta)
        with recording_lock(folder):
            assert finish_move(tmp_path / "new") == [meta.id]
            assert folder.exists()
    assert finish_move(tmp_path / "new") == []
    with Store.open(source) as store:
        assert [report.session_id for report in store.recover()] == [meta.id]
        assert len(store.search()) == 4
    assert {path.name for path in source.iterdir()} == {POINTER}


@pytest.mark.parametrize("way", ["link", "copy"])
def test_killed_at_any_instant_it_is_whole_and_goes_on(source, tmp_path, way) -> None:
    target, dice = tmp_path / "new", random.Random(way)
    places = set()
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", MOVE, str(source), str(target), way], cwd=ROOT, stdout=subprocess.PIPE
        ) as mover:
            assert mover.stdout is not None
            mover.stdout.readline()
            time.sleep(dice.uniform(0, 0.12))
            mover.kill()
        places.add(assert_whole(source))
        if target in places:
            break
    with Store.open(source) as store:
        if store.root != target:
            move_library(store, target)
    finish_move(target)
    assert assert_whole(source) == target
    assert {path.name for path in source.iterdir()} == {POINTER}
    assert not (target / ARRIVING).exists()


def test_pointers_that_point_at_each_other(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / INDEX).touch()
    write_pointer(tmp_path / "a", tmp_path / "b")
    write_pointer(tmp_path / "b", tmp_path / "a")
    assert follow(tmp_path / "a") == follow(tmp_path / "b") == tmp_path / "a"
    assert read_pointer(tmp_path / "b").at_ns > read_pointer(tmp_path / "a").at_ns


def test_the_command_moves_and_gives_up(source, tmp_path, capsys) -> None:
    assert main(["move", str(tmp_path / "new"), "--library", str(source)]) == 0
    assert "leads there" in capsys.readouterr().out
    assert main(["move", "--library", str(source)]) == 1
    assert "Name the folder" in capsys.readouterr().err
    assert main(["move", "--give-up", "--library", str(source)]) == 0
    assert "No move was cut off" in capsys.readouterr().out
    assert assert_whole(source) == tmp_path / "new"
