"""What a model answers is checked hard."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.vision.failures import BadReply
from annotator.vision.reply import LEAST_S, MOST_CHARACTERS, MOST_TEXT, Said, plain, read_reply, settle


def reply(*items: object, **more: object) -> str:
    return json.dumps({"instructions": list(items), **more})


def item(start_s: object, end_s: object, text: object = "open the gate") -> dict[str, object]:
    return {"start_s": start_s, "end_s": end_s, "text": text}


def test_a_good_reply_is_taken_in_order() -> None:
    read = read_reply(reply(item(5, 9, "b"), item(0, 4.5, "a"), narrative="They walk.\nThen rest."), 0, 10)
    assert read.instructions == (Said(0, 4.5, "a"), Said(5, 9, "b"))
    assert read.narrative == "They walk. Then rest."
    assert read.refused == ()


def test_a_fence_around_it_is_taken_off() -> None:
    assert read_reply(f"```json\n{reply(item(0, 3))}\n```", 0, 10).instructions == (Said(0, 3, "open the gate"),)


@pytest.mark.parametrize(
    "text",
    [
        "", "I cannot help with that.", "<html><body>502</body></html>", "[1, 2]", "null", "{}", '{"instructions": 3}',
        '{"instructions": [{"start_s": NaN, "end_s": 3, "text": "x"}]}', '{"instructions": [', "[" * 100_000,
        reply(item(0, 3)) + " I hope this helps!", "9" * 5000,
        reply(*[item(i / 100, 9, str(i)) for i in range(200)]), " " * MOST_CHARACTERS + "{}",
    ],
)  # fmt: skip
def test_what_is_no_reply_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(BadReply) as told:
        read_reply(text, 0, 10)
    assert str(told.value).count("\n") == 0
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (3, "no object"),
        (item("0", 3), "start_s is no number"),
        (item(True, 3), "start_s is no number"),
        (item(0, None), "end_s is no number"),
        (item(0, 10**400), "end_s is no number"),
        (item(4, 3), "ends before"),
        (item(50, 60), "outside"),
        (item(-9, -2), "outside"),
        (item(0, 3, 7), "no text"),
        (item(0, 3, " \u202e\u0000 "), "empty"),
        (item(0, 3, "x" * (MOST_TEXT + 1)), "more than"),
    ],
)
def test_one_bad_item_is_refused_with_the_reason_and_the_others_are_kept(bad: object, why: str) -> None:
    read = read_reply(reply(bad, item(5, 8, "go on")), 0, 10)
    assert read.instructions == (Said(5, 8, "go on"),)
    assert why in read.refused[0]


def test_times_are_clamped_to_the_pictures() -> None:
    assert read_reply(reply(item(-5, 500)), 2, 10).instructions == (Said(2, 10, "open the gate"),)


def test_overlap_is_settled_and_repetition_joined() -> None:
    assert settle([Said(0, 6, "a"), Said(4, 9, "b")]) == (Said(0, 4, "a"), Said(4, 9, "b"))
    assert settle([Said(0, 6, "a"), Said(6, 9, "A")]) == (Said(0, 9, "a"),)
    assert settle([Said(0, 6, "a"), Said(0.2, 9, "b")]) == (Said(0.2, 9, "b"),)


def test_text_is_made_harmless() -> None:
    assert plain("<b>run\u202e</b>\n\t to\x07  the gate") == "brun/b to the gate"
    assert plain("走到 大门 👍\u200d") == "走到 大门 👍\u200d"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
            st.sampled_from(["instructions", "narrative", "start_s", "end_s", "text"]), inner, max_size=5
        ),
        max_leaves=20,
    )
)  # fmt: skip
def test_whatever_comes_is_a_checked_reply_or_a_sentence(answer: object) -> None:
    try:
        read = read_reply(json.dumps(answer), 0, 30)
    except BadReply:
        return
    edges = [edge for one in read.instructions for edge in (one.start_s, one.end_s)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= 30 for edge in edges)
    assert all(one.length_s >= LEAST_S and one.text for one in read.instructions)
