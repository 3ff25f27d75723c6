"""Drafts on disk: whose they are, who may take them over, and what damage does."""

from __future__ import annotations

import pytest

from db.labelling.drafts import Draft, DraftFile, draft_folder
from db.labelling.labels import new_id
from db.store import Store
from recordings import record

SESSION = new_id()
SAID = Draft(field="span", target_id="s", text="half")


@pytest.fixture
def file(tmp_path):
    made = DraftFile(tmp_path, "ann", SESSION)
    yield made
    made.close()


def left(root, drafts, person: str = "ann") -> None:
    gone = DraftFile(root, person, SESSION)
    gone.write(drafts)
    gone.close(keep=True)


def test_what_was_left_is_taken_over_by_one_window_only(tmp_path, file) -> None:
    left(tmp_path, [SAID])
    assert [draft.text for draft in file.take_over()] == ["half"]
    other = DraftFile(tmp_path, "ann", SESSION)
    assert other.take_over() == []
    file.close(keep=True)
    assert [draft.text for draft in other.take_over()] == ["half"]
    other.close()
    assert not draft_folder(tmp_path, "ann", SESSION).exists()


def test_of_two_drafts_in_one_place_the_newer_is_meant(tmp_path, file) -> None:
    left(tmp_path, [SAID.model_copy(update={"text": "newer", "at": SAID.at.replace(year=2100)})])
    left(tmp_path, [SAID])
    left(tmp_path, [Draft(field="note", target_id="s", text="a note")])
    assert {draft.text for draft in file.take_over()} == {"newer", "a note"}


def test_drafts_are_their_persons_own_whatever_they_are_called(tmp_path, file) -> None:
    for person in ("..", "a/b", "ann ", "名前", "."):
        left(tmp_path, [SAID], person)
    assert file.take_over() == []
    folders = {path.name for path in (tmp_path / "drafts").iterdir()}
    assert len(folders) == 5
    assert all(name.startswith("p-") for name in folders)


def test_a_damaged_file_is_left_where_it_is(tmp_path, file) -> None:
    left(tmp_path, [SAID])
    damaged = draft_folder(tmp_path, "ann", SESSION) / f"{new_id()}.json"
    damaged.write_text('[{"field": "span"', encoding="utf-8")
    assert len(file.take_over()) == 1
    assert damaged.exists()


def test_deleting_a_session_removes_everybodys_drafts_on_it(store: Store) -> None:
    kept, gone = record(store), record(store)
    for person in ("ann", "bob"):
        for session_id in (kept, gone):
            draft = DraftFile(store.root, person, session_id)
            draft.write([SAID])
            draft.close(keep=True)
    store.delete(gone)
    assert not draft_folder(store.root, "bob", gone).exists()
    assert draft_folder(store.root, "bob", kept).exists()


def test_what_a_killed_window_was_writing_is_cleared_with_it(tmp_path, file) -> None:
    left(tmp_path, [SAID])
    folder = draft_folder(tmp_path, "ann", SESSION)
    (path,) = folder.glob("*.json")
    path.with_name(f"{path.name}.new").write_text("[", encoding="utf-8")
    (folder / f"{new_id()}.json.new").write_text("[", encoding="utf-8")
    assert [draft.text for draft in file.take_over()] == ["half"]
    file.close()
    assert not folder.exists()


def test_what_is_destroyed_takes_changes_left_for_later_with_it(tmp_path) -> None:
    with Store.open(tmp_path / "library") as store:
        session_id = record(store)
        gone = DraftFile(store.root, "ann", session_id)
        gone.write([SAID, Draft(field="change", text='[{"held": "KEY_W"}]')])
        gone.close(keep=True)
        store.redact(session_id, [(3, 6)])
        (left_over,) = draft_folder(store.root, "ann", session_id).glob("*.json")
        assert "KEY_W" not in left_over.read_text(encoding="utf-8")
        again = DraftFile(store.root, "ann", session_id)
        assert [draft.text for draft in again.take_over()] == ["half"]
        again.close()
