"""Agreement between annotators, against numbers worked out by hand and the properties that it must have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.labelling.agreement import compare, iou, kappa, match, plain
from db.labelling.labels import Edit, LabelKind


def instruction(start, stop, text="go", **more):
    return Edit(session_id="s", kind=LabelKind.INSTRUCTION, start=start, stop=stop, value=text, author="a", **more)


def flag(start, stop, word="menu", **more):
    return Edit(session_id="s", kind=LabelKind.FLAG, start=start, stop=stop, value=word, author="a", **more)


def test_kappa_of_the_textbook():
    """Both yes 20, both no 15, first only 5, second only 10: observed .7, by chance .5, kappa .4."""
    first = np.array([1] * 20 + [0] * 15 + [1] * 5 + [0] * 10, bool)
    second = np.array([1] * 20 + [0] * 15 + [0] * 5 + [1] * 10, bool)
    assert kappa(first, second) == pytest.approx(0.4)


def test_kappa_where_there_is_nothing_to_agree_on():
    assert kappa(np.zeros(5, bool), np.zeros(5, bool)) is None
    assert kappa(np.zeros(0, bool), np.zeros(0, bool)) is None
    assert kappa(np.array([1, 0], bool), np.array([0, 1], bool)) == -1


def test_flags_frame_by_frame():
    found = compare([flag(0, 10), flag(50, 60, "idle")], [flag(5, 15)], 100)
    menu, idle = sorted(found.flags, key=lambda one: one.flag, reverse=True)
    assert (menu.flag, menu.frames, menu.both) == ("menu", (10, 10), 5)
    assert menu.kappa == pytest.approx((0.9 - 0.82) / 0.18)
    assert (idle.frames, idle.both, idle.kappa) == ((10, 0), 0, 0)


def test_instructions_span_by_span():
    first = [instruction(0, 10, "Pick up the medkit!"), instruction(20, 30, "shoot"), instruction(90, 95)]
    second = [instruction(2, 12, "pick up  the medkit"), instruction(20, 30, "shoot it")]
    found = compare(first, second, 100).instructions
    assert (found.count, found.matched) == ((3, 2), 2)
    assert found.mean_iou == pytest.approx((8 / 12 + 1) / 2)
    assert found.boundary_error_frames == pytest.approx(1.0)
    assert found.text_match == 0.5
    assert 0.5 < found.text_similarity < 1
    assert found.f1 == pytest.approx(0.8)


def test_nothing_at_all():
    found = compare([], [], 100)
    assert found.flags == ()
    assert found.instructions.f1 is None
    assert found.instructions.mean_iou is None


def test_suggestions_do_not_count():
    assert compare([flag(0, 5, suggested=True), instruction(0, 5, suggested=True)], [], 10).flags == ()


def test_each_span_is_matched_once_and_the_best_pair_first():
    assert match([(0, 10), (8, 20)], [(7, 19)]) == [(1, 0)]
    assert match([(0, 10)], [(9, 500)]) == []


def test_words_in_any_script():
    assert plain("ＳＨＯＯＴ，  now!") == "shoot now"
    assert plain("薬を、取る。") == "薬を 取る"


ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda t: (t[0], t[0] + t[1])), max_size=8)


@given(ranges, ranges)
def test_it_is_symmetric_and_perfect_with_oneself(a, b):
    first, second = [instruction(*r) for r in a], [instruction(*r) for r in b]
    there, back = compare(first, second, 100).instructions, compare(second, first, 100).instructions
    assert there.matched == back.matched
    assert there.mean_iou == pytest.approx(back.mean_iou) if there.matched else back.mean_iou is None
    own = compare(first, first, 100).instructions
    assert own.matched == len(a)
    assert not a or (own.mean_iou == own.text_match == 1 and own.boundary_error_frames == 0)


@given(ranges, ranges)
def test_no_overlap_is_worse_than_any(a, b):
    for i, j in match(a, b):
        assert 0 < iou(a[i], b[j]) <= 1
