"""The labels in force and the search over their words: always what the log says, in every script."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from db.errors import Conflict
from db.labelling.labels import Edit, LabelKind, heads
from db.library.tables import LabelRow
from db.store import Store
from recordings import Take, record


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def session_id(store):
    return record(store, Take(count=10))


def instruction(session_id, text, start=0, stop=5, **more):
    return Edit(
        session_id=session_id, kind=LabelKind.INSTRUCTION, start=start, stop=stop, value=text, author="ann", **more
    )


def note(session_id, text):
    return Edit(session_id=session_id, kind=LabelKind.NOTE, value=text, author="ann")


def found(store, words):
    return [summary.id for summary in store.search(text=words)]


def rows(store):
    with store.reading() as connection:
        return {row.edit_id: row.value for row in connection.execute(select(LabelRow.edit_id, LabelRow.value))}


@pytest.mark.parametrize(
    ("text", "words"),
    [("Collect the medkits", "medk"), ("Collect the medkits", "THE collect"),
     ("薬を取ってから撃つ", "薬"), ("薬を取ってから撃つ", "取って"), ("収集医疗包并射击", "医疗包"), ("의료 키트를 모아라", "키트"),
     ("Ｆｕｌｌ ｗｉｄｔｈ", "full wid"), ("naïve café", "cafe"), ("don't stop", "don't"), ("C++ \"quoted\" (x)", 'c "quoted"')],
)  # fmt: skip
def test_words_are_found_in_any_script(store, session_id, text, words):
    store.commit([note(session_id, text)])
    assert found(store, words) == [session_id]


@pytest.mark.parametrize("words", ["kit shield", "薬品", "撃薬", "医包", '"', "*", "AND OR NOT", "NEAR(", "x:y"])
def test_what_is_not_there_is_not_found_and_nothing_is_an_operator(store, session_id, words):
    store.commit([note(session_id, "Collect the kit 薬を取ってから撃つ 医疗包")])
    assert found(store, words) == []


def test_only_what_is_in_force_is_found(store, session_id):
    first = instruction(session_id, "shoot")
    store.commit([first])
    second = first.revised("ann", value="hide")
    store.commit([second])
    assert (found(store, "shoot"), found(store, "hide")) == ([], [session_id])
    store.commit([second.revised("ann", deleted=True)])
    assert found(store, "hide") == []
    assert rows(store) == {}


def test_hundreds_of_labels_may_change_at_once(store, session_id):
    first = [instruction(session_id, f"take torch{i} again", i % 5, i % 5 + 1) for i in range(1100)]
    store.commit(first)
    assert [found(store, words) for words in ("torch1099", "again")] == [[session_id]] * 2
    second = [edit.revised("ann", value=f"drop lamp{i} again") for i, edit in enumerate(first)]
    store.commit(second)
    assert [found(store, words) for words in ("torch1099", "take")] == [[], []]
    assert [found(store, words) for words in ("lamp0", "lamp1099", "again")] == [[session_id]] * 3
    assert rows(store) == {edit.id: edit.value for edit in second}
    store.commit([edit.revised("ann", deleted=True) for edit in second[1:]])
    assert (found(store, "lamp1099"), found(store, "lamp0 again")) == ([], [session_id])
    with pytest.raises(Conflict):
        store.commit([*(instruction(session_id, "new") for _ in range(600)), first[700].revised("bob", value="mine")])
    assert found(store, "new") == []


def test_a_second_reading_is_not_found_before_it_is_settled(store, session_id):
    first = instruction(session_id, "shoot")
    blind = instruction(session_id, "hide", source="second:bob", suggested=True)
    store.commit([first, blind])
    assert (found(store, "shoot"), found(store, "hide")) == ([session_id], [])
    changed = blind.revised("bob", value="hide well", source="second:bob")
    store.commit([changed])
    assert found(store, "well") == []
    store.commit([changed.revised("ann", suggested=False)])
    assert found(store, "well") == [session_id]
    store.forget(session_id)
    store.rebuild()
    assert found(store, "well") == [session_id]


def test_a_suggestion_of_a_model_is_found(store, session_id):
    store.commit([instruction(session_id, "hide", source="run:idm", suggested=True)])
    assert found(store, "hide") == [session_id]


def test_a_deleted_session_leaves_nothing_to_find(store, session_id):
    store.commit([note(session_id, "unmistakable")])
    store.delete(session_id)
    assert found(store, "unmistakable") == []
    assert rows(store) == {}


def test_a_rebuilt_index_finds_the_same(store, session_id):
    store.commit([note(session_id, "unmistakable"), instruction(session_id, "撃つ")])
    before = rows(store)
    store.forget(session_id)
    assert rows(store) == {}
    store.rebuild()
    assert rows(store) == before
    assert found(store, "撃つ") == [session_id]


changes = st.lists(st.tuples(st.sampled_from(["new", "change", "delete", "rival"]), st.integers(0, 5)), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
def test_the_rows_are_always_the_heads_of_the_log(store, changes):
    session_id = record(store, Take(count=10))
    for number, (kind, which) in enumerate(changes):
        log = store.edits(session_id)
        current = [edit for edit in heads(log) if edit.kind is LabelKind.INSTRUCTION and not edit.deleted]
        if kind == "new" or not current:
            store.commit([instruction(session_id, f"text {number}")])
        elif kind == "rival":  # a version made on another machine
            base = current[which % len(current)]
            store.merge(session_id, [base.revised("bob", value=f"rival {number}")])
        else:
            try:
                store.commit(
                    [current[which % len(current)].revised("ann", value=f"v{number}", deleted=kind == "delete")]
                )
            except Conflict:
                continue
    wanted = {e.id: e.value for e in heads(store.edits(session_id)) if not e.deleted}
    with store.reading() as connection:
        mine = select(LabelRow.edit_id, LabelRow.value).where(LabelRow.session_id == session_id)
        assert {row.edit_id: row.value for row in connection.execute(mine)} == wanted
