"""The words a library labels with at one key each: instructions that are used often, and flags beside the usual ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from annotator.model.edits.commands import clean
from db.errors import BadArgument
from db.labelling.labels import Flag, LabelKind
from db.settings import FlagEntry, LibrarySettings, VocabularyEntry

_FLAG_LIMIT, _TEXT_LIMIT = 100, 2000


@dataclass(frozen=True)
class Word:
    """One entry: an instruction's text or a flag's word, and its key in Qt's portable text ("" for none)."""

    kind: LabelKind
    text: str
    key: str = ""


def words_of(settings: LibrarySettings) -> list[Word]:
    """The instructions in their order, then the flags in theirs."""
    said = [Word(LabelKind.INSTRUCTION, entry.text, entry.key) for entry in settings.vocabulary]
    return said + [Word(LabelKind.FLAG, entry.word, entry.key) for entry in settings.flags]


def with_words(settings: LibrarySettings, words: Iterable[Word]) -> LibrarySettings:
    """The settings with these words for theirs. Raises BadArgument as `check` does."""
    listed = [replace(word, text=clean(word.text)) for word in words]
    check(listed)
    vocabulary = tuple(VocabularyEntry(text=w.text, key=w.key) for w in listed if w.kind is LabelKind.INSTRUCTION)
    flags = tuple(FlagEntry(word=w.text, key=w.key) for w in listed if w.kind is LabelKind.FLAG)
    return settings.model_copy(update={"vocabulary": vocabulary, "flags": flags})


def check(words: Iterable[Word]) -> None:
    """Raises BadArgument for a word without text, one that is there twice, or a key that two words share."""
    seen: set[tuple[LabelKind, str]] = {(LabelKind.FLAG, flag.value) for flag in Flag}
    keys: dict[str, str] = {}
    for word in words:
        limit = _FLAG_LIMIT if word.kind is LabelKind.FLAG else _TEXT_LIMIT
        if not word.text:
            raise BadArgument("An entry has no text; write one or remove it.")
        if len(word.text) > limit:
            raise BadArgument(f"{word.text[:40]}… is longer than {limit} characters; shorten it.")
        if (word.kind, word.text) in seen:
            raise BadArgument(f"{word.text!r} is there already; change or remove one of them.")
        if word.key and word.key in keys:
            raise BadArgument(f"{word.key} is the key of {keys[word.key]!r} too; give one of them another.")
        seen.add((word.kind, word.text))
        keys[word.key] = word.text


def free_key(taken: Collection[str]) -> str:
    """A key for a new word that nothing has: Shift and a letter, then a function key; "" where all are taken."""
    return next((key for key in _OFFERED if key not in taken), "")


def usable(words: Iterable[Word], taken: Collection[str]) -> list[Word]:
    """The words, without the keys that something else or an earlier word has: a key must mean one thing."""
    used, kept = set(taken), []
    for word in words:
        kept.append(replace(word, key="") if word.key in used else word)
        used.add(word.key)
    return kept


_OFFERED = (
    "8", "9",
    *(f"Shift+{letter}" for letter in "QWERTYASDFGHJKLZXCVBNUIOPM"),
    *(f"F{number}" for number in range(2, 13)),
    *(f"Shift+F{number}" for number in range(1, 13)),
)  # fmt: skip
