"""The trash is emptied session by session: watched, stopped, and honest about what stays."""

from __future__ import annotations

from db.recording.session import recording_lock
from db.upkeep.emptying import empty_trash
from recordings import Take, record


def test_what_cannot_be_deleted_stops_nothing_and_is_said(store) -> None:
    ids = [record(store, Take(count=10)) for _ in range(3)]
    for session_id in ids[:2]:
        store.trash(session_id)
    told: list[tuple[int, int]] = []
    with recording_lock(store.session_folder(ids[0])):
        emptied = empty_trash(store, lambda done, total: told.append((done, total)))
    assert (emptied.deleted, list(emptied.refused), emptied.is_cancelled) == (1, [ids[0]], False)
    assert "being recorded" in emptied.refused[ids[0]]
    assert emptied.bytes > 0
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] > 0
    assert {line.id for line in store.search(trashed=True)} == {ids[0]}
    assert {line.id for line in store.search()} == {ids[2]}


def test_it_is_stopped_before_the_next_session(store) -> None:
    for _ in range(3):
        store.trash(record(store, Take(count=10)))
    done: list[int] = []
    emptied = empty_trash(store, lambda count, total: done.append(count), lambda: len(done) > 1)
    assert emptied.is_cancelled
    assert emptied.deleted == 1
    assert len(store.search(trashed=True)) == 2
    assert empty_trash(store).deleted == 2
