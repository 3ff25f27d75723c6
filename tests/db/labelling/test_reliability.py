from __future__ import annotations

import numpy as np
import pytest

from db.labelling.agreement import compare, kappa
from db.labelling.labels import Edit, LabelKind, Review, new_id
from db.labelling.readings import Reading, source_of
from db.labelling.reliability import LEAST_SESSIONS, Compared, by_pair, measure, read_compared
from recordings import record

FRAMES = 200
SESSION = new_id()


def span(kind: LabelKind, start: int, stop: int, value: str) -> Edit:
    return Edit(session_id=SESSION, kind=kind, start=start, stop=stop, value=value, author="x")


def idle(*stretches: tuple[int, int]) -> tuple[Edit, ...]:
    return tuple(span(LabelKind.FLAG, *stretch, "idle") for stretch in stretches)


def told(*said: tuple[int, int, str]) -> tuple[Edit, ...]:
    return tuple(span(LabelKind.INSTRUCTION, *one) for one in said)


def compared(first: tuple[Edit, ...], second: tuple[Edit, ...], people: tuple[str, str] = ("ann", "bob")) -> Compared:
    return Compared(SESSION, "Maze", FRAMES, Reading(people[0], first), Reading(people[1], second))


def test_one_session_is_as_the_comparison_of_it_says() -> None:
    first = (*idle((0, 50), (90, 100)), *told((0, 40, "Go in"), (60, 100, "turn")))
    second = (*idle((10, 60)), *told((5, 40, "go in!"), (60, 90, "jump"), (150, 160, "wait")))
    alone, pooled = compare(first, second, FRAMES), measure([compared(first, second)])
    assert pooled.flags["idle"].value == pytest.approx(alone.flags[0].kappa)
    assert pooled.iou.value == pytest.approx(alone.instructions.mean_iou)
    assert pooled.boundary_frames.value == pytest.approx(alone.instructions.boundary_error_frames)
    assert pooled.same_words.value == pytest.approx(alone.instructions.text_match)
    assert pooled.found.value == pytest.approx(alone.instructions.f1)
    assert sorted(pooled.errors_frames) == [-10, 0, 0, 5]
    assert (pooled.iou.low, pooled.iou.count) == (None, 2)


def test_kappa_is_pooled_over_frames_and_counts_sessions_without_the_flag() -> None:
    pairs = [(idle((0, 50)), idle((10, 50))), (idle((0, 100)), idle((50, 150))), ((), ())]
    markings = [np.zeros((2, FRAMES), bool) for _ in pairs]
    for marked, both in zip(markings, pairs, strict=True):
        for row, spans in zip(marked, both, strict=True):
            for edit in spans:
                row[edit.start : edit.stop] = True
    whole = np.concatenate(markings, axis=1)
    assert measure([compared(*both) for both in pairs]).flags["idle"].value == pytest.approx(kappa(*whole))


def test_confidence_holds_the_value_narrows_with_sessions_and_is_always_the_same() -> None:
    rng = np.random.default_rng(3)

    def some(count: int) -> list[Compared]:
        found = []
        for _ in range(count):
            start, slip = int(rng.integers(10, 60)), int(rng.integers(-9, 9))
            found.append(compared(told((start, start + 50, "a")), told((start + slip, start + 50, "a"))))
        return found

    assert measure(some(LEAST_SESSIONS - 1)).iou.low is None
    few, many = some(8), some(200)
    narrow, wide = measure(many).iou, measure(few).iou
    for figure in (narrow, wide):
        assert figure.low < figure.value < figure.high
    assert narrow.high - narrow.low < wide.high - wide.low
    assert measure(few) == measure(few)


def test_nothing_and_agreement_on_everything_have_no_kappa() -> None:
    assert measure([]).iou.value is None
    everywhere = idle((0, FRAMES))
    assert measure([compared(everywhere, everywhere)] * 6).flags["idle"].value is None


def test_who_read_first_does_not_make_another_pair() -> None:
    both = [compared((), ()), compared((), (), ("bob", "ann")), compared((), (), ("eve", "ann"))]
    assert {people: len(some) for people, some in by_pair(both).items()} == {("ann", "bob"): 2, ("ann", "eve"): 1}


def test_only_sessions_with_two_readings_done_are_read(store) -> None:
    ids = [record(store) for _ in range(3)]
    for session_id, seconds in zip(ids, ([Review.LABELLED], [Review.UNLABELLED], []), strict=True):
        kind = LabelKind.INSTRUCTION
        store.commit([Edit(session_id=session_id, kind=kind, start=0, stop=9, value="go", author="ann")])
        store.set_review(session_id, Review.LABELLED, "ann")
        own = {"session_id": session_id, "author": "bob", "source": source_of("bob"), "suggested": True}
        store.commit([Edit(kind=kind, start=1, stop=9, value="go", **own)])
        store.commit([Edit(kind=LabelKind.REVIEW, value=state.value, **own) for state in seconds])
    found = read_compared(store)
    assert [(one.session_id, one.people) for one in found] == [(ids[0], ("ann", "bob"))]
    assert measure(found).boundary_frames.value == 0.5
    store.trash(ids[0])
    assert read_compared(store) == []
