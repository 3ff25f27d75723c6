"""What counts as a disagreement between a recording and an IDM: the definition, on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from db.recording.surprise import FLOOR, Scale, key_surprise, mean_around, motion_surprise

SURE, DOUBT = 0.98, 0.02
MISSED = -np.log(DOUBT)
"""Nats where the IDM is SURE of the other thing."""


def column(text: str) -> np.ndarray:
    """ "..#." -> (T, 1) of bool."""
    return np.array([[letter == "#"] for letter in text])


def said(text: str) -> np.ndarray:
    return np.where(column(text), SURE, DOUBT).astype(np.float16)


def surprise(recorded: str, expected: str, known: str = "", spoken: str = "") -> np.ndarray:
    count = len(recorded)
    masks = (column(mask or "#" * count)[:, 0] for mask in (known, spoken))
    return key_surprise(said(expected), column(recorded), *masks)[:, 0]


def hot(recorded: str, expected: str, known: str = "", spoken: str = "") -> str:
    return "".join("#" if nats > 1 else "." for nats in surprise(recorded, expected, known, spoken))


@pytest.mark.parametrize(
    ("recorded", "expected", "wanted"),
    [
        ("..####....", "..####....", ".........."),
        ("...####...", "..####....", ".........."),  # a tick late
        (".####.....", "..####....", ".........."),  # a tick early
        ("....####..", "..####....", "..##..##.."),  # two ticks late counts in full
        ("..........", "..####....", "..####...."),  # never recorded, or deleted
        ("..####....", "..........", "..####...."),  # nothing to be seen of it
        ("..........", "....#.....", "....#....."),  # one tick, expected and not recorded, counts
        ("....#.....", "..........", "....#....."),
        ("....#.....", ".....#....", ".........."),
        ("##########", "##########", ".........."),
    ],
)
def test_a_tick_of_timing_is_forgiven_and_nothing_else(recorded: str, expected: str, wanted: str) -> None:
    assert hot(recorded, expected) == wanted


def test_the_numbers_are_the_negative_log_likelihood() -> None:
    assert surprise("..........", "..####....")[3] == pytest.approx(MISSED, rel=1e-2)
    assert surprise("..........", "..........")[3] == pytest.approx(-np.log(SURE), rel=2e-2)


def test_certainty_of_the_opposite_is_bounded() -> None:
    sure = np.array([[0.0], [0.0], [0.0]], np.float16)
    everywhere = np.ones(3, np.bool_)
    found = key_surprise(sure, column("###"), everywhere, everywhere)
    assert found[:, 0] == pytest.approx(-np.log(FLOOR))


def test_what_is_unknown_or_was_not_asked_is_neither_counted_nor_an_excuse() -> None:
    assert hot("..........", "..####....", known="###...####") == "..#......."
    assert hot("..........", "..####....", spoken="###...####") == "..#......."
    # the press beside the gap lies where nobody knows what was done: no excuse for the one that is expected
    assert hot("...#......", "..#.......", known="###...####") == "..#......."


def motion(counts: list[float], bins: list[int]) -> np.ndarray:
    """Of an axis with bins below -10, -10 to -0.5, zero, 0.5 to 10, 10 to 30 and above."""
    edges = (-10.0, -0.5, 0.5, 10.0, 30.0)
    shares = np.full((len(bins), 6), 0.004, np.float16)
    shares[np.arange(len(bins)), bins] = 0.98
    everywhere = np.ones(len(bins), np.bool_)
    return motion_surprise(shares, edges, np.array(counts, np.float32), everywhere, everywhere)


def test_motion_is_judged_by_its_bin_and_the_ones_beside_it() -> None:
    assert (motion([0, 0, 0, 0, 0], [2, 2, 2, 2, 2]) < 0.1).all()
    assert (motion([5, 5, 5, 5, 5], [4, 4, 4, 4, 4]) < 0.1).all(), "the next bin is no contradiction"
    assert (motion([-20, -20, -20, -20, -20], [4, 4, 4, 4, 4]) > 4).all()
    assert (motion([0, 40, 0, 0, 0], [2, 2, 5, 2, 2]) < 0.1).all(), "a tick late"
    found = motion([0, 0, 0, 0, 0], [2, 2, 5, 2, 2])
    assert found[2] > 4, "a flick that was not recorded"
    assert (found[[0, 1, 3, 4]] < 0.1).all()
    found = motion([0, 0, 40, 0, 0], [2, 2, 2, 2, 2])
    assert found[2] > 4, "a flick that nothing shows"


def test_the_mean_is_of_the_known_ticks_within_half_a_second() -> None:
    edges_ns = np.arange(0, 41) * 100_000_000
    nats = np.zeros(40, np.float32)
    nats[20] = 11.0
    known = np.ones(40, np.bool_)
    mean = mean_around(nats, edges_ns, known)
    assert mean[14] == 0
    assert mean[[15, 20, 25]] == pytest.approx(1.0)
    assert mean[26] == 0
    known[16:20] = False
    mean = mean_around(nats, edges_ns, known)
    assert np.isnan(mean[16:20]).all()
    assert mean[20] == pytest.approx(11 / 7)


def test_the_scale_makes_the_usual_0_and_the_rare_1() -> None:
    usual = np.linspace(1.0, 2.0, 1001).astype(np.float32)
    scale = Scale.of([usual[:500], np.append(usual[500:], np.nan)])
    assert scale is not None
    found = scale.disagreement(np.array([0.0, 1.5, 1.99, 2.48, np.nan], np.float32))
    assert found[:4] == pytest.approx([0.0, 0.0, 1.0, 2.0], abs=1e-3)
    assert np.isnan(found[4])
    assert Scale.of([np.full(4, np.nan, np.float32)]) is None
    assert Scale.of([]) is None
