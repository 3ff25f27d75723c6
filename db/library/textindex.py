"""Full-text search over labels, in any script: the words of every session, each once, with how many labels hold it.

Words are found by their beginning, a single letter or digit only as a whole word. Scripts without spaces (Chinese,
Japanese, Korean) are kept as single characters and pairs, and found by all pairs of what is asked for. Accents, case and
width make no difference. Plain tables and no dialect: one lookup by a word's beginning gives the sessions themselves, so
a word that is in every label is found as quickly as one that is in few.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterable

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    delete,
    insert,
    literal_column,
    select,
)

NAME = "label_word"
_WORDS = Table(
    NAME,
    MetaData(),
    Column("word", String(80), primary_key=True),
    Column("session_id", String(36), primary_key=True),
    Column("labels", Integer, nullable=False),
    sqlite_with_rowid=False,
)
_LONGEST = 80
_LAST = "\U0010ffff"
_AT_ONCE = 10_000
_ASKED_AT_ONCE = 500
_CJK = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


def create(connection: Connection) -> None:
    """Makes the index's table where it is not there yet."""
    _WORDS.create(connection, checkfirst=True)


def change(connection: Connection, labels: Iterable[tuple[str, str, int]]) -> None:
    """labels: (session id, value, 1 for a label that has come or -1 for one that has gone). Makes sessions findable by
    the words of those that are there."""
    more: dict[str, Counter[str]] = {}
    for session_id, value, step in labels:
        counts = more.setdefault(session_id, Counter())
        for word in words(value):
            counts[word] += step
    for session_id, counts in more.items():
        changed = sorted(word for word, step in counts.items() if step)
        for first in range(0, len(changed), _ASKED_AT_ONCE):
            some = changed[first : first + _ASKED_AT_ONCE]
            _change_words(connection, session_id, {word: counts[word] for word in some})


def _change_words(connection: Connection, session_id: str, steps: dict[str, int]) -> None:
    here = (_WORDS.c.session_id == session_id, _WORDS.c.word.in_(list(steps)))
    found = connection.execute(select(_WORDS.c.word, _WORDS.c.labels).where(*here))
    known: dict[str, int] = {row.word: row.labels for row in found}
    counts = {word: known.get(word, 0) + step for word, step in steps.items()}
    if known:
        connection.execute(delete(_WORDS).where(*here))
    kept = [{"word": word, "session_id": session_id, "labels": n} for word, n in counts.items() if n > 0]
    if kept:
        connection.execute(insert(_WORDS), kept)


def refill(connection: Connection, labels: Iterable[tuple[str, str]]) -> None:
    """Makes the whole index anew from (session id, value) of every label that is searched, those of a session together."""
    connection.execute(delete(_WORDS))
    rows: list[dict[str, str | int]] = []
    for session_id, group in itertools.groupby(labels, key=lambda label: label[0]):
        counts = Counter(word for _, value in group for word in words(value))
        rows += [{"word": word, "session_id": session_id, "labels": count} for word, count in counts.items()]
        if len(rows) >= _AT_ONCE:
            connection.execute(insert(_WORDS), rows)
            rows = []
    if rows:
        connection.execute(insert(_WORDS), rows)


def matching(text: str) -> Select[str]:
    """The query for the ids of the sessions whose labels hold all words of `text`; finds none where it has no words."""
    terms = [term for run, is_cjk in _runs(text) for term in _terms(run, is_cjk)]
    first, *others = terms or [literal_column("0") == 1]
    query = select(_WORDS.c.session_id).where(first)
    for term in others:
        query = query.where(_WORDS.c.session_id.in_(select(_WORDS.c.session_id).where(term)))
    return query


def words(value: str) -> set[str]:
    """What a label is found by."""
    return {
        word[:_LONGEST]
        for run, is_cjk in _runs(value)
        for word in ([*run, *map("".join, itertools.pairwise(run))] if is_cjk else [run])
    }


def _terms(run: str, is_cjk: bool) -> list[ColumnElement[bool]]:
    word = _WORDS.c.word
    if is_cjk and len(run) > 1:
        return [word == pair for pair in map("".join, itertools.pairwise(run))]
    start = run[:_LONGEST]
    return [word == start if len(start) == 1 else and_(word >= start, word < start + _LAST)]


def _runs(value: str) -> list[tuple[str, bool]]:
    """Words, and runs of characters of scripts without spaces (True), folded in case, width and accents."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    kinds = itertools.groupby(folded, key=_kind)
    runs = [("".join(run), kind == "cjk") for kind, run in kinds if kind]
    return [(run if is_cjk else _plain(run), is_cjk) for run, is_cjk in runs]


def _plain(word: str) -> str:
    """Without accents; marks of other scripts, which are letters there, stay."""
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f")) or word


def _kind(character: str) -> str:
    number = ord(character)
    if any(low <= number <= high for low, high in _CJK):
        return "cjk"
    return "word" if character.isalnum() or unicodedata.category(character).startswith("M") else ""
