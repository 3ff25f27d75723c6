from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from annotator.model.library.queue import (
    drawn,
    is_double_labelled,
    review_queue,
    sampled_share,
)
from db.labelling.labels import Review
from db.settings import LibrarySettings

USUAL = LibrarySettings()


@dataclass(frozen=True)
class Line:
    id: str
    player: str = "ann"
    game: str = "Maze"
    grade: str = "good"
    review: Review = Review.LABELLED
    duration_s: float = 3600.0


def ids(turns) -> list[str]:
    return [turn.session_id for turn in turns]


def test_what_looks_wrong_comes_first_and_all_of_it() -> None:
    veteran = [Line(f"old {i}", review=Review.ACCEPTED) for i in range(1000)]
    lines = [*veteran, Line("fine"), Line("faults", grade="usable"), Line("flagged"), Line("bad", grade="bad")]
    queue = review_queue(lines, {"flagged": frozenset({"bad capture", "idle"})})
    assert ids(queue)[:3] == ["bad", "flagged", "faults"]
    assert queue[1].reason == "flagged: bad capture"


def test_only_what_waits_is_in_the_queue() -> None:
    lines = [Line(review.value, grade="bad", review=review) for review in Review]
    assert sorted(ids(review_queue(lines))) == ["in review", "labelled"]


def test_newcomers_are_all_reviewed_and_the_trusted_are_sampled_per_game() -> None:
    accepted = [Line(f"old {i}", player="vet", review=Review.ACCEPTED) for i in range(18)]
    waiting = [
        Line(f"{who} {game} {i}", who, game) for who in ("vet", "new") for game in ("Maze", "Race") for i in range(400)
    ]
    found = ids(review_queue([*accepted, *waiting]))
    count = {
        kind: sum(one.startswith(kind) for one in found) for kind in ("vet Maze", "vet Race", "new Maze", "new Race")
    }
    assert count["vet Race"] == count["new Maze"] == count["new Race"] == 400
    assert 20 <= count["vet Maze"] <= 65  # a tenth of 400


def test_the_order_does_not_depend_on_that_of_the_lines() -> None:
    lines = [Line(f"session {i}", player=f"p{i % 3}") for i in range(50)]
    lines += [Line(f"old {i}", player="p1", review=Review.ACCEPTED) for i in range(9)]
    assert review_queue(lines) == review_queue(lines[::-1])


@given(st.floats(0, 1e6))
def test_the_share_falls_with_accepted_hours(hours) -> None:
    assert USUAL.least_share <= sampled_share(hours + 1) <= sampled_share(hours) <= 1
    assert sampled_share(USUAL.trusted_h) == 0.5


@given(st.text(max_size=40))
def test_draws_are_the_same_every_time(session_id) -> None:
    assert 0 <= drawn(session_id, "double") < 1
    assert drawn(session_id, "double") == drawn(session_id, "double")
    assert not is_double_labelled(session_id, 0.0)
    assert is_double_labelled(session_id, 1.0)


def test_as_many_are_labelled_twice_as_was_asked_for() -> None:
    share = sum(is_double_labelled(f"session {i}", 0.2) for i in range(5000)) / 5000
    assert 0.18 < share < 0.22
