from __future__ import annotations

from pathlib import Path

import pytest

from db.errors import BadFile, Conflict, NotFound, StoreReadOnly
from db.labelling.edits import append_to_mirror, mirror_lags, read_mirror, repair_mirror, salvage_mirror
from db.labelling.labels import Edit, LabelKind, Review, conflicts, new_id
from db.recording.session import MIRROR_NAME
from db.store import Store
from recordings import record


def instruction(session_id: str, start: int = 0, text: str = "go left", **more: object) -> Edit:
    kind = LabelKind.INSTRUCTION
    return Edit(session_id=session_id, kind=kind, start=start, stop=start + 5, value=text, author="ann", **more)  # type: ignore[arg-type]


def mirror_of(store: Store, session_id: str) -> Path:
    return store.session_folder(session_id) / MIRROR_NAME


def test_a_commit_is_in_the_index_and_the_mirror(store: Store, session_id: str) -> None:
    first = instruction(session_id, text="geh nach links ☃\n\u2028 now")
    second = first.revised("bob", stop=9)
    store.commit([first])
    store.commit([second])
    assert store.edits(session_id) == [first, second]
    assert read_mirror(store.session_folder(session_id)) == [first, second]


def test_one_commit_may_hold_a_chain_and_several_sessions(store: Store, session_id: str) -> None:
    other = record(store)
    first = instruction(session_id)
    batch = [first, first.revised("ann", stop=8), instruction(other)]
    store.commit(batch)
    assert store.edits(session_id) == batch[:2]
    assert read_mirror(store.session_folder(other)) == batch[2:]


def test_superseding_what_somebody_superseded_is_a_conflict_and_adds_nothing(store: Store, session_id: str) -> None:
    first = instruction(session_id)
    store.commit([first])
    store.commit([first.revised("bob", stop=8)])
    with pytest.raises(Conflict, match="bob changed this label"):
        store.commit([instruction(session_id, 7), first.revised("ann", stop=9)])
    assert len(store.edits(session_id)) == 2
    assert len(read_mirror(store.session_folder(session_id))) == 2


def test_a_parent_must_be_there_and_of_the_same_label(store: Store, session_id: str) -> None:
    first = instruction(session_id)
    store.commit([first])
    for wrong in (
        instruction(session_id, parent=new_id()),
        instruction(session_id, parent=first.id),
        first.revised("ann", session_id=record(store)),
    ):
        with pytest.raises(Conflict, match="not there any more"):
            store.commit([wrong])
    assert store.edits(session_id) == [first]


def test_an_unknown_session_is_not_found(store: Store, session_id: str) -> None:
    with pytest.raises(NotFound):
        store.commit([instruction(session_id), instruction(new_id())])
    assert store.edits(session_id) == []


def test_merging_adds_what_is_new_and_keeps_both_versions(store: Store, session_id: str) -> None:
    first = instruction(session_id)
    mine, theirs = first.revised("ann", stop=8), first.revised("bob", stop=9)
    store.commit([first])
    store.commit([mine])
    assert store.merge(session_id, [theirs, first, mine, theirs]) == 1
    assert store.merge(session_id, [theirs, first, mine]) == 0
    assert conflicts(store.edits(session_id)) == {first.entity_id: [mine, theirs]}
    assert set(read_mirror(store.session_folder(session_id))) == {first, mine, theirs}


def test_merging_many(store: Store, session_id: str) -> None:
    many = [instruction(session_id, i) for i in range(1200)]
    assert store.merge(session_id, many) == 1200
    assert store.merge(session_id, [*many, instruction(session_id)]) == 1


def test_merging_moves_the_review(store: Store, session_id: str) -> None:
    review = Edit(session_id=session_id, kind=LabelKind.REVIEW, value="rejected", author="bob")
    store.merge(session_id, [review])
    assert store.summary(session_id).review is Review.REJECTED


def test_a_torn_last_line_is_left_out_and_cut_off_by_the_next_commit(store: Store, session_id: str) -> None:
    edits = [instruction(session_id, i) for i in range(4)]
    store.commit(edits[:3])
    path = mirror_of(store, session_id)
    path.write_bytes(path.read_bytes()[:-10])
    assert read_mirror(path.parent) == edits[:2]
    assert mirror_lags(path.parent, 3)
    store.commit(edits[3:])
    assert read_mirror(path.parent) == [*edits[:2], edits[3]]
    assert mirror_lags(path.parent, 4)
    assert store.recover() == []
    assert read_mirror(path.parent) == edits
    assert not mirror_lags(path.parent, 4)


def test_a_damaged_line_is_told_salvaged_and_kept_beside(store: Store, session_id: str) -> None:
    edits = [instruction(session_id, i) for i in range(3)]
    store.commit(edits)
    path = mirror_of(store, session_id)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"id": \xff}\n' + lines[2])
    with pytest.raises(BadFile, match=rf"{MIRROR_NAME}, line 2, is not an annotation"):
        read_mirror(path.parent)
    assert salvage_mirror(path.parent)[0] == [edits[0], edits[2]]
    assert "line 2" in salvage_mirror(path.parent)[1]
    assert repair_mirror(path.parent, edits)
    assert read_mirror(path.parent) == edits
    assert b"\xff" in (path.parent / f"{MIRROR_NAME}.damaged").read_bytes()
    assert not repair_mirror(path.parent, edits)


def test_what_only_the_mirror_holds_is_kept(store: Store, session_id: str) -> None:
    folder = store.session_folder(session_id)
    theirs, mine = instruction(session_id, 1), instruction(session_id, 2)
    append_to_mirror(folder, [theirs])
    assert repair_mirror(folder, [mine])
    assert read_mirror(folder) == [theirs, mine]


def test_a_mirror_that_cannot_be_written_does_not_undo_the_commit(store: Store, session_id: str) -> None:
    mirror_of(store, session_id).mkdir()
    edit = instruction(session_id)
    store.commit([edit])
    assert store.edits(session_id) == [edit]
    assert store.recover() == []
    mirror_of(store, session_id).rmdir()
    store.recover()
    assert read_mirror(store.session_folder(session_id)) == [edit]
    mirror_of(store, session_id).unlink()
    mirror_of(store, session_id).mkdir()
    with pytest.raises((BadFile, StoreReadOnly)):
        append_to_mirror(store.session_folder(session_id), [edit])
