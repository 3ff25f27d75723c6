"""What is offered while one types."""

from __future__ import annotations

from annotator.model.library.phrases import PhraseBook

BOOK = PhraseBook(
    own=[("walk to the door", 2), ("open the door", 9)],
    everywhere=[("open the door", 50), ("jump over the wall", 40), ("Walk back", 7), ("ドアを開ける", 3), ("", 99)],
)


def test_the_games_own_come_first_then_the_commonest() -> None:
    assert BOOK.matches("") == ["open the door", "walk to the door", "jump over the wall", "Walk back", "ドアを開ける"]


def test_words_are_found_anywhere_in_any_order_and_case() -> None:
    assert BOOK.matches("DOOR the") == ["open the door", "walk to the door"]
    assert BOOK.matches("oor wal") == ["walk to the door"]
    assert BOOK.matches("開け") == ["ドアを開ける"]
    assert BOOK.matches("window") == []


def test_what_is_typed_whole_stands_first() -> None:
    assert BOOK.matches("walk back")[0] == "Walk back"
    assert PhraseBook([("jump high", 5), ("jump", 1)]).matches("jump") == ["jump", "jump high"]


def test_no_more_than_are_shown_and_new_ones_before_the_books() -> None:
    book = PhraseBook([(f"go {i}", i) for i in range(50)])
    assert book.matches("go", limit=3) == ["go 49", "go 48", "go 47"]
    assert book.matches("go", ["go home"], limit=2) == ["go home", "go 49"]
    assert book.matches("go 3")[0] == "go 3"
