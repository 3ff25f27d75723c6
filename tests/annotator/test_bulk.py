from __future__ import annotations

from annotator.bulk import Deed, do, done_before, undo
from annotator.model.document import Document
from annotator.model.edits.history import History
from annotator.model.edits.session_commands import Assign, RemoveTag
from db.labelling.labels import LabelKind, Review
from db.settings import LibrarySettings, write_settings
from db.store import Store
from db.upkeep.leftovers import doomed_folder


def test_many_are_accepted_and_it_is_taken_back(store, make_session) -> None:
    ids = [make_session(store, count=10) for _ in range(3)]
    store.set_review(ids[1], Review.LABELLED, "bob")
    store.set_review(ids[2], Review.ACCEPTED, "bob")
    told: list[tuple[int, int]] = []
    outcome = do(store, Deed.ACCEPT, ids, "ann", progress=lambda done, total: told.append((done, total)))
    assert set(outcome.done) == set(ids[:2])
    assert told[-1] == (3, 3)
    assert outcome.text == "2 sessions accepted."
    assert undo(store, outcome, "ann").refused == {}
    reviews = [store.summary(session_id).review for session_id in ids]
    assert reviews == [Review.UNLABELLED, Review.LABELLED, Review.ACCEPTED]


def test_nobody_accepts_their_own_where_the_library_says_so(store, make_session) -> None:
    own = make_session(store, count=10, labels=[("instruction", 0, 5, "go")])
    other = make_session(store, count=10)
    write_settings(store.root, LibrarySettings(no_self_accept=True))
    outcome = do(store, Deed.ACCEPT, [own, other], "ann")
    assert outcome.done == [other]
    assert "1 session not accepted: In this library nobody accepts what they labelled" in outcome.text


def test_assigning_and_tagging(store, make_session) -> None:
    session_id = make_session(store, count=10)
    do(store, Deed.ASSIGN, [session_id], "ann", "bob")
    second = do(store, Deed.ASSIGN, [session_id], "ann", "eve")
    assert [line.id for line in store.search(assignee="eve")] == [session_id]
    assert store.search(assignee="bob") == []
    undo(store, second, "ann")
    assert store.search(assignee="bob")
    do(store, Deed.ASSIGN, [session_id], "ann", "")
    assert store.search(assignee="bob") == []
    tagged = do(store, Deed.TAG, [session_id], "ann", "hard")
    assert do(store, Deed.TAG, [session_id], "ann", "hard").done == []
    assert store.search(tag="hard")
    undo(store, tagged, "ann")
    assert store.search(tag="hard") == []
    assert {edit.kind for edit in store.edits(session_id)} == {LabelKind.ASSIGNEE, LabelKind.TAG}


def test_the_annotator_and_the_library_assign_and_tag_the_same_thing(store, make_session) -> None:
    session_id = make_session(store, count=10)
    do(store, Deed.ASSIGN, [session_id], "ann", "bob")
    do(store, Deed.TAG, [session_id], "ann", "hard")
    document = Document(store, session_id, "eve", store.recording(session_id).clock)
    assert document.assignee == "bob"
    history = History(document)
    history.do(Assign("chi"))
    history.do(RemoveTag("hard"))
    assert store.search(assignee="bob") == []
    assert [line.id for line in store.search(assignee="chi")] == [session_id]
    assert store.search(tag="hard") == []
    do(store, Deed.RELEASE, [session_id], "ann")
    do(store, Deed.ASSIGN, [session_id], "ann", "dora")
    do(store, Deed.TAG, [session_id], "ann", "hard")
    document.refresh()
    assert document.assignee == "dora"
    assert store.search(tag="hard")
    assert store.search(assignee="chi") == []


def test_the_trash_and_back(store, make_session) -> None:
    ids = [make_session(store, count=10) for _ in range(2)]
    outcome = do(store, Deed.TRASH, [*ids, "0" * 8 + "-0000-0000-0000-" + "0" * 12], "ann")
    assert outcome.done == ids
    assert len(outcome.refused) == 1
    assert store.search() == []
    undo(store, outcome, "ann")
    assert len(store.search()) == 2


def test_what_was_taken_out_of_the_trash_in_an_earlier_run_goes_back_into_it(store, make_session) -> None:
    *ids, doomed = sorted(make_session(store, count=10) for _ in range(4))
    do(store, Deed.TRASH, [*ids, doomed], "ann")
    do(store, Deed.RESTORE, [*ids[:2], doomed], "ann")
    folder = store.session_folder(doomed)
    folder.rename(doomed_folder(folder))  # as where its deletion was cut off
    store.forget(doomed)
    with Store.open(store.root, create=False) as again:
        trashed, restored = done_before(again, "ann")
        assert (trashed.deed, sorted(trashed.done)) == (Deed.TRASH, ids)
        assert (restored.deed, restored.done) == (Deed.RESTORE, ids[:2])
        assert done_before(again, "bob") == []
        again.trash(ids[1], "bob\nelsewhere")
        undone = undo(again, restored, "ann")
        assert (undone.deed, undone.done, list(undone.refused)) == (Deed.TRASH, ids[:1], ids[1:2])
        (left,) = done_before(again, "ann")  # in the trash as it was before, by the step of then
        assert (left.deed, left.done) == (Deed.TRASH, [ids[0], ids[2]])
        assert list(undo(again, trashed, "ann").refused) == ids[1:2]
        assert done_before(again, "ann") == []
    assert [line.id for line in store.search(trashed=True)] == [ids[1]]


def test_what_was_done_in_an_earlier_run_is_taken_back_as_one_step(store, make_session) -> None:
    ids = [make_session(store, count=10) for _ in range(3)]
    do(store, Deed.TAG, ids, "ann", "hard")
    do(store, Deed.ACCEPT, ids[:2], "ann")
    do(store, Deed.TAG, ids, "bob", "easy")
    do(store, Deed.TRASH, ids[2:], "ann")
    with Store.open(store.root, create=False) as again:
        before = done_before(again, "ann")
        assert [(outcome.deed, outcome.done) for outcome in before] == [
            (Deed.TAG, ids),
            (Deed.ACCEPT, ids[:2]),
            (Deed.TRASH, ids[2:]),
        ]
        assert [undo(again, outcome, "ann").refused for outcome in reversed(before)] == [{}, {}, {}]
        assert done_before(again, "ann") == []
        assert [outcome.deed for outcome in done_before(again, "bob")] == [Deed.TAG]
    assert {line.review for line in store.search()} == {Review.UNLABELLED}
    assert len(store.search(tag="easy")) == 3
    assert store.search(tag="hard") == []


def test_a_session_takes_back_its_own_part_of_what_was_done_to_many(store, make_session) -> None:
    ids = [make_session(store, count=10) for _ in range(2)]
    outcome = do(store, Deed.ACCEPT, ids, "ann")
    history = History(Document(store, ids[0], "ann", store.recording(ids[0]).clock))
    assert history.undo_name == "accepted in the library"
    history.undo()
    assert store.summary(ids[0]).review is Review.UNLABELLED
    assert [before.done for before in done_before(store, "ann")] == [ids[1:]]
    undone = undo(store, outcome, "ann")
    assert (list(undone.refused), undone.done) == ([ids[0]], [ids[1]])
    assert store.summary(ids[1]).review is Review.UNLABELLED
