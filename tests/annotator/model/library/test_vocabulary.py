"""The words with one key each: a key never means two things, whoever chose it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.model.library.vocabulary import Word, check, free_key, usable, with_words, words_of
from db.errors import BadArgument
from db.labelling.labels import LabelKind
from db.settings import LibrarySettings

SAID, FLAG = LabelKind.INSTRUCTION, LabelKind.FLAG
KEYS = st.sampled_from(["", "8", "9", "A", "Shift+A", "Shift+Q", "F2", "Ctrl+K"])


def test_settings_keep_words_and_their_order() -> None:
    words = [Word(SAID, "walk on", "Shift+W"), Word(SAID, "薬を取る"), Word(FLAG, "lag", "8"), Word(FLAG, "chat")]
    settings = with_words(LibrarySettings(no_self_accept=True), words)
    assert words_of(settings) == words
    assert settings.no_self_accept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([Word(SAID, " ")], "no text"),
        ([Word(SAID, "go", "8"), Word(FLAG, "lag", "8")], "8 is the key of 'go' too"),
        ([Word(SAID, "go"), Word(SAID, "  go ")], "there already"),
        ([Word(FLAG, "menu")], "there already"),
        ([Word(FLAG, "x" * 101)], "longer than 100"),
    ],
)
def test_what_cannot_be_is_refused(words, said) -> None:
    with pytest.raises(BadArgument, match=said):
        with_words(LibrarySettings(), words)


def test_a_flag_and_an_instruction_may_say_the_same() -> None:
    check([Word(SAID, "menu", "Shift+M"), Word(FLAG, "shop", "8"), Word(SAID, "shop")])


def test_forty_new_words_get_keys_that_nothing_has() -> None:
    taken = {"8", "F3", "Shift+Q"}
    given_keys = []
    for _ in range(40):
        given_keys.append(free_key({*taken, *given_keys}))
    assert "" not in given_keys
    assert len({*taken, *given_keys}) == 43


@given(st.lists(st.tuples(st.sampled_from([SAID, FLAG]), KEYS), max_size=12), st.sets(KEYS))
def test_keys_in_force_never_collide(entries, taken) -> None:
    words = [Word(kind, f"word {i}", key) for i, (kind, key) in enumerate(entries)]
    kept = usable(words, taken)
    keys = [word.key for word in kept if word.key]
    assert len(keys) == len(set(keys))
    assert not set(keys) & taken
    assert [word.text for word in kept] == [word.text for word in words]
