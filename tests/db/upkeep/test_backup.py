"""A library is copied while it is open, whole or not at all; its disk use and its cache."""

from __future__ import annotations

import os

import pytest

from db.errors import BadArgument, BadFile
from db.labelling.labels import Edit, LabelKind
from db.library.facets import Marks, read_facets, read_marks
from db.library.index import check_index, index_stamp
from db.recording.session import recording_lock
from db.settings import LibrarySettings, write_settings
from db.store import Store
from db.upkeep.backup import back_up
from db.upkeep.diskuse import clear_cache, disk_use, keep_quota
from recordings import record


def test_a_copy_opens_like_the_library_itself(store, session_id, tmp_path):
    store.commit([Edit(session_id=session_id, kind=LabelKind.TAG, value="first", author="ann")])
    write_settings(store.root, LibrarySettings(no_self_accept=True))
    (store.models_dir / "policy-1").mkdir()
    (store.models_dir / "policy-1" / "weights").write_bytes(b"w" * 1000)
    (store.cache_dir / "picture.jpg").write_bytes(b"p")
    told: list[tuple[int, int]] = []
    target = tmp_path / "copies" / "library"
    assert back_up(store, target, lambda done, total: told.append((done, total)))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] > 1000
    assert (target / "models" / "policy-1" / "weights").read_bytes() == b"w" * 1000
    assert not (target / "cache" / "picture.jpg").exists()
    with Store.open(target, create=False) as copy:
        assert [line.id for line in copy.search(tag="first")] == [session_id]
        assert copy.verify(session_id) == []
        assert copy.recover() == []


def test_a_cancelled_copy_leaves_nothing(store, session_id, tmp_path):
    target = tmp_path / "copy"
    assert not back_up(store, target, cancelled=lambda: True)
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


def test_a_copy_goes_only_where_nothing_is(store, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(BadArgument, match="exists already"):
        back_up(store, tmp_path / "there")
    with pytest.raises(BadArgument, match="into itself"):
        back_up(store, store.root / "copy")


def test_what_is_being_recorded_stays_behind(store, session_id, tmp_path):
    other = record(store)
    with recording_lock(store.session_folder(other)):
        assert back_up(store, tmp_path / "copy")
    assert {path.name for path in (tmp_path / "copy" / "sessions").iterdir()} == {session_id}


def test_the_cache_forgets_what_was_used_longest_ago(store):
    (store.cache_dir / "logs").mkdir()
    (store.cache_dir / "logs" / "recorder.log").write_bytes(b"said")
    for age, name in enumerate(("new", "older", "oldest")):
        path = store.cache_dir / name
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    assert {line.kind: line.bytes for line in disk_use(store.root)}["cache"] == 304
    assert keep_quota(store.root, 250) == 100
    assert {path.name for path in store.cache_dir.iterdir()} == {"logs", "new", "older"}
    assert clear_cache(store.root) == 200
    assert (store.cache_dir / "logs" / "recorder.log").exists()


def test_what_can_be_filtered_by(store, session_id):
    before = index_stamp(store.root)
    store.commit(
        [
            Edit(session_id=session_id, kind=LabelKind.TAG, value="hard", author="ann"),
            Edit(session_id=session_id, kind=LabelKind.ASSIGNEE, value="bob", author="ann"),
            Edit(session_id=session_id, kind=LabelKind.FLAG, start=0, stop=5, value="menu", author="ann"),
        ]
    )
    assert index_stamp(store.root) != before
    facets = read_facets(store)
    assert (facets.tags, facets.assignees, facets.flags) == (("hard",), ("bob",), ("menu",))
    assert len(facets.games) == len(facets.players) == 1
    assert read_marks(store, [session_id]) == {session_id: Marks("bob", ("hard",))}


def test_a_copy_that_does_not_read_back_is_no_backup(store, session_id, tmp_path, monkeypatch):
    monkeypatch.setattr("db.upkeep.arrivals._digest", lambda path: b"other")
    with pytest.raises(BadFile, match="not to be trusted"):
        back_up(store, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["library"]
    (tmp_path / "index").write_bytes(b"SQLite format 3\0" + bytes(100))
    with pytest.raises(BadFile, match="does not read back"):
        check_index(tmp_path / "index")
