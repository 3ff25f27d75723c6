from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from db.errors import BadArgument
from db.labelling.labels import Edit, LabelKind, Review, check_transition, conflicts, heads, new_id, review_of, spans


def span(start: int = 0, stop: int = 5, **more: object) -> Edit:
    fields = {"session_id": "s", "kind": LabelKind.INSTRUCTION, "start": start, "stop": stop, "author": "ann"} | more
    return Edit.model_validate(fields)


def test_ids_are_ordered_by_time() -> None:
    ids = [new_id() for _ in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 5, "stop": 5},
        {"start": -1},
        {"start": None},
        {"stop": None},
        {"stop": 2**60},
        {"kind": LabelKind.NOTE},
        {"kind": LabelKind.REVIEW, "start": None, "stop": None, "value": "perfect"},
        {"value": "x" * 20_001},
        {"value": "\ud800"},
        {"id": "short"},
        {"colour": "red"},
    ],
)
def test_edits_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        span(**wrong)  # type: ignore[arg-type]


def test_a_revision_supersedes() -> None:
    first = span(value="go left", source="run:1", suggested=True)
    second = first.revised("bob", value="go right", suggested=False)
    assert (second.entity_id, second.parent, second.author, second.source) == (
        first.entity_id,
        first.id,
        "bob",
        "person",
    )
    assert second.id != first.id
    assert heads([second, first]) == [second]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12), st.randoms())
def test_heads_are_the_ends_of_every_chain_in_any_order(steps: list[tuple[int, bool]], random: object) -> None:
    chains = [[span(value=str(i))] for i in range(5)]
    for which, deleted in steps:
        chains[which].append(chains[which][-1].revised("ann", deleted=deleted))
    log = list(itertools.chain.from_iterable(chains))
    random.shuffle(log)  # type: ignore[attr-defined]
    assert sorted(heads(log), key=lambda e: e.id) == sorted((chain[-1] for chain in chains), key=lambda e: e.id)
    alive = {chain[-1].id for chain in chains if not chain[-1].deleted}
    assert {edit.id for edit in spans(log)} == alive
    assert conflicts(log) == {}


def test_two_edits_with_one_parent_are_a_conflict_and_the_newer_is_in_force() -> None:
    first = span()
    mine, theirs = first.revised("ann", stop=7), first.revised("bob", stop=9)
    log = [theirs, first, mine]
    assert heads(log) == [theirs]
    assert conflicts(log) == {first.entity_id: [mine, theirs]}
    assert conflicts([*log, theirs.revised("ann")]) != {}


def test_spans_are_ordered_and_can_be_of_one_kind() -> None:
    late, early = span(9, 12), span(1, 4, kind=LabelKind.FLAG, value="menu")
    note = span(kind=LabelKind.NOTE, start=None, stop=None)
    assert spans([late, note, early]) == [early, late]
    assert spans([late, note, early], LabelKind.FLAG) == [early]


def test_the_newest_review_is_in_force() -> None:
    def review(state: Review) -> Edit:
        return span(kind=LabelKind.REVIEW, start=None, stop=None, value=state.value)

    accepted, rejected = review(Review.ACCEPTED), review(Review.REJECTED)
    assert review_of([]) is Review.UNLABELLED
    assert review_of([rejected, accepted]) is Review.REJECTED
    assert review_of([accepted, rejected, accepted.revised("bob", value="fixing")]) is Review.FIXING
    assert review_of([accepted, accepted.revised("bob", deleted=True)]) is Review.UNLABELLED


def test_review_steps() -> None:
    check_transition(Review.UNLABELLED, Review.ACCEPTED)
    check_transition(Review.REJECTED, Review.FIXING)
    check_transition(Review.LABELLED, Review.LABELLED)
    for before, after in [(Review.ACCEPTED, Review.UNLABELLED), (Review.UNLABELLED, Review.FIXING)]:
        with pytest.raises(BadArgument, match=f"{before.value} cannot become {after.value}"):
            check_transition(before, after)
    for state in Review:
        assert any(state.can_become(other) for other in Review)  # no dead end


def test_an_edit_takes_the_place_of_its_own_entitys_versions_alone() -> None:
    place = {"session_id": new_id(), "kind": LabelKind.NOTE, "author": "ann"}
    mine = Edit(value="mine", **place)
    for named in ({"parent": mine.id}, {"also": (mine.id,)}):
        stranger = Edit(value="theirs", **place, **named)
        assert {edit.value for edit in heads([mine, stranger])} == {"mine", "theirs"}
        assert conflicts([mine, stranger]) == {}
