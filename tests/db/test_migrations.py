"""Indexes that older Playtapes made, each by its own code: they open here with all that was in them, after a backup."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from pathlib import Path

import pytest

from db import migrations
from db.labelling.disputes import disputed
from db.labelling.labels import Edit, LabelKind, Review, StepMark, conflicts, heads, spans
from db.library.index import NAME
from db.store import Store

INDEXES = Path(__file__).parent / "indexes"
EARLIER = sorted(path.name.removesuffix(".sqlite.gz") for path in INDEXES.glob("*.sqlite.gz"))


def old_library(folder: Path, revision: str) -> Path:
    """One session: two versions of an instruction and a third that competes, a deleted flag, a note, a review."""
    folder.mkdir()
    with gzip.open(INDEXES / f"{revision}.sqlite.gz") as packed, (folder / NAME).open("wb") as index:
        shutil.copyfileobj(packed, index)
    return folder


def test_every_earlier_revision_is_here() -> None:
    versions = Path(migrations.__file__).parent / "versions"
    revisions = sorted(path.name[:4] for path in versions.glob("0*.py"))
    assert revisions[: len(EARLIER)] == EARLIER
    assert len(EARLIER) >= 3


@pytest.mark.parametrize("revision", EARLIER)
def test_an_older_library_is_migrated_after_a_backup_and_keeps_everything(tmp_path: Path, revision: str) -> None:
    root = old_library(tmp_path / "library", revision)
    old = sqlite3.connect(root / NAME)
    before = old.execute("SELECT id, entity_id, kind, value, author, parent FROM edit ORDER BY id").fetchall()
    old.close()
    with Store.open(root) as store:
        (line,) = store.search()
        log = store.edits(line.id)
        assert [(e.id, e.entity_id, e.kind, e.value, e.author, e.parent) for e in log] == before
        assert line.review is Review.LABELLED
        assert [(s.value, s.start, s.stop, s.author) for s in spans(log)] == [("open the door", 0, 5, "eve")]
        assert [found.id for found in store.search(text="open the door")] == [line.id]
        assert store.edits_after(line.id).edits == log
        assert disputed(store) == {line.id: 1}
        (tips,) = conflicts(log).values()
        mark = StepMark("s" * 36, "settle it")
        store.commit([tips[-1].revised("ann", value="either", also=(tips[0].id,)).marked(mark)])
        assert disputed(store) == {}
        assert store.edits(line.id)[-1].step_name == "settle it"
        store.commit([Edit(session_id=line.id, kind=LabelKind.TAG, value="old", author="ann")])
        assert {e.kind for e in heads(store.edits(line.id))} >= {LabelKind.NOTE, LabelKind.TAG, LabelKind.FLAG}
    (backup,) = root.glob("index-before-*.sqlite")
    kept = sqlite3.connect(backup)
    assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
    assert kept.execute("SELECT id, entity_id, kind, value, author, parent FROM edit ORDER BY id").fetchall() == before
    kept.close()


def test_migrating_twice_at_once_or_again_changes_nothing(tmp_path: Path) -> None:
    root = old_library(tmp_path / "library", EARLIER[0])
    with Store.open(root) as store, Store.open(root) as again:
        (line,) = store.search()
        assert again.edits(line.id) == store.edits(line.id)


def test_a_migration_that_is_cut_off_leaves_the_index_as_it_was(tmp_path: Path, monkeypatch) -> None:
    root = old_library(tmp_path / "library", EARLIER[0])
    with monkeypatch.context() as patch:
        patch.setattr("db.library.labelindex.refill", lambda connection: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError, match="killed"):
            Store.open(root)
    left = sqlite3.connect(root / NAME)
    tables = {row[0] for row in left.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert left.execute("SELECT version_num FROM alembic_version").fetchone() == (EARLIER[0],)
    assert "dispute" not in tables
    left.close()
    with Store.open(root) as store:
        assert len(store.edits(store.search()[0].id)) == 7


@pytest.mark.parametrize("revision", EARLIER)
def test_an_older_library_without_a_label_is_migrated_too(tmp_path: Path, revision: str) -> None:
    root = old_library(tmp_path / "library", revision)
    emptied = sqlite3.connect(root / NAME)
    emptied.execute("DELETE FROM edit")
    if revision >= "0003":
        emptied.execute("DELETE FROM label")
    emptied.commit()
    emptied.close()
    with Store.open(root) as store:
        assert [store.edits(line.id) for line in store.search()] == [[]]


def test_words_of_a_second_reading_that_an_older_playtape_made_findable_are_not_found(tmp_path: Path) -> None:
    root = old_library(tmp_path / "library", EARLIER[0])
    with Store.open(root) as store:
        (line,) = store.search()
        blind = Edit(
            session_id=line.id, kind=LabelKind.NOTE, value="hide", author="eve", suggested=True, source="second:e"
        )
        store.commit([blind])
    older = sqlite3.connect(root / NAME)
    older.execute("UPDATE alembic_version SET version_num = '0005'")
    older.execute("INSERT INTO label_word (word, session_id, labels) VALUES ('hide', ?, 1)", (line.id,))
    older.commit()
    older.close()
    with Store.open(root) as store:
        assert store.search(text="hide") == []
        assert store.search(text="door") == [line]
