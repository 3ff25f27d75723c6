"""Sums over a library: hours, labels, annotators, phrases; and who may accept what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.errors import BadArgument, BadFile
from db.labelling.labels import Edit, LabelKind, Review
from db.library.statistics import annotators, label_times, phrases, progress
from db.settings import LibrarySettings, VocabularyEntry, read_settings, write_settings
from db.store import Store
from recordings import FRAME_NS, Take, record

START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "library") as opened:
        yield opened


def span(session_id, start, stop, value, kind=LabelKind.INSTRUCTION, author="ann", **more):
    return Edit(session_id=session_id, kind=kind, start=start, stop=stop, value=value, author=author, **more)


def test_progress_per_game(store):
    ids = [record(store, Take(count=30, game=game)) for game in ("doom", "doom", "quake", "quake", "doom")]
    store.set_review(ids[0], Review.ACCEPTED, "ann")
    store.set_review(ids[1], Review.LABELLED, "ann")
    store.trash(ids[4])
    doom, quake = progress(store)
    seconds = 30 * FRAME_NS / 1e9
    assert (doom.game, doom.sessions, quake.game, quake.sessions) == ("doom", 2, "quake", 2)
    assert doom.recorded_s == pytest.approx(2 * seconds)
    assert doom.labelled_s == pytest.approx(2 * seconds)
    assert doom.accepted_s == pytest.approx(seconds)
    assert quake.labelled_s == 0


def test_time_per_label(store):
    first, second = record(store, Take(count=60)), record(store, Take(count=60))
    store.commit([span(first, 0, 30, "shoot"), span(first, 40, 50, "shoot"), span(second, 0, 20, "shoot")])
    store.commit([span(first, 0, 6, "menu", LabelKind.FLAG), span(first, 0, 60, "hide", suggested=True)])
    shoot, menu = label_times(store)
    assert (shoot.value, shoot.spans, shoot.sessions) == ("shoot", 3, 2)
    assert shoot.seconds == pytest.approx(60 * FRAME_NS / 1e9, rel=1e-6)
    assert (menu.kind, menu.seconds) == (LabelKind.FLAG, pytest.approx(6 * FRAME_NS / 1e9, rel=1e-6))
    assert [time.spans for time in label_times(store, second)] == [1]


def test_work_per_annotator(store):
    session_id = record(store, Take(count=60))
    times = [0, 10, 20, 500, 530]  # a break of eight minutes is not work
    for number, second in enumerate(times):
        at = START + timedelta(seconds=second)
        store.commit([span(session_id, number * 10, number * 10 + 10, "go", at=at)])
    store.commit([span(session_id, 0, 5, "menu", LabelKind.FLAG, author="bob", source="run:1")])
    (ann,) = annotators(store)
    assert (ann.author, ann.edits, ann.sessions, ann.working_s) == ("ann", 5, 1, 50.0)
    assert ann.seconds_per_edit == 10.0
    assert ann.labelled_s == pytest.approx(50 * FRAME_NS / 1e9, rel=1e-6)


def test_phrases_by_use(store):
    doom, quake = record(store, Take(count=60, game="doom")), record(store, Take(count=60, game="quake"))
    store.commit([span(doom, 0, 5, "shoot"), span(doom, 5, 9, "shoot"), span(quake, 0, 5, "hide")])
    store.commit([span(quake, 9, 12, "guess", suggested=True)])
    assert phrases(store) == [("shoot", 2), ("hide", 1)]
    assert phrases(store, game="quake") == [("hide", 1)]


def test_the_trash(store):
    kept, thrown = record(store, Take(count=10)), record(store, Take(count=10))
    store.trash(thrown)
    assert [line.id for line in store.search()] == [kept]
    assert [line.id for line in store.search(trashed=True)] == [thrown]
    store.forget(thrown)
    store.rebuild()
    assert [line.id for line in store.search()] == [kept], "an index made anew knows what is in the trash"
    store.restore(thrown)
    assert {line.id for line in store.search()} == {kept, thrown}
    store.trash(thrown)
    assert store.empty_trash(before=START) == 0
    assert store.empty_trash() == 1
    assert not (store.sessions_dir / thrown).exists()


def test_nobody_accepts_their_own_where_the_library_says_so(store):
    session_id = record(store, Take(count=10))
    store.commit([span(session_id, 0, 5, "shoot")])
    store.commit([Edit(session_id=session_id, kind=LabelKind.COMMENT, start=0, stop=2, value="hm", author="bob")])
    write_settings(store.root, LibrarySettings(no_self_accept=True))
    with pytest.raises(BadArgument, match="somebody else"):
        store.set_review(session_id, Review.ACCEPTED, "ann")
    store.set_review(session_id, Review.REJECTED, "ann")
    store.set_review(session_id, Review.ACCEPTED, "bob")


def test_who_made_what_somebody_else_changed_does_not_accept_it_either(store):
    session_id = record(store, Take(count=10))
    made = span(session_id, 0, 5, "shoot")
    store.commit([made])
    store.commit([made.revised("bob", value="shoot them")])
    write_settings(store.root, LibrarySettings(no_self_accept=True))
    for person in ("ann", "bob"):
        with pytest.raises(BadArgument, match="somebody else"):
            store.set_review(session_id, Review.ACCEPTED, person)
    store.set_review(session_id, Review.ACCEPTED, "eve")


def test_settings_come_back_and_damage_is_told(tmp_path):
    assert read_settings(tmp_path) == LibrarySettings()
    settings = LibrarySettings(vocabulary=(VocabularyEntry(text="薬を取る", key="1"),), double_label_share=0.1)
    write_settings(tmp_path, settings)
    assert read_settings(tmp_path) == settings
    for text in ("", "[]", '{"double_label_share": 2}', '{"colour": 1}'):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises(BadFile, match=r"settings\.json"):
            read_settings(tmp_path)
