from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect

from db.errors import BadArgument, BadFile, NotFound, PlaytapeError, TooNew, Withdrawn
from db.formats.interchange import export_session, import_session
from db.labelling.labels import Edit, LabelKind, Review, new_id
from db.library.index import NAME, _config
from db.recording.session import recording_lock
from db.store import Store
from db.upkeep.withdrawal import (
    MARK_NAME,
    SUFFIX,
    Withdrawal,
    apply_notice,
    find_withdrawal,
    note_sent,
    read_notice,
    sendings,
    withdraw,
    write_notice,
)
from recordings import Take, record

SECRET = "xyzzy the hollow voice"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """The library of somebody whom sessions are sent to."""
    with Store.open(tmp_path / "other") as opened:
        yield opened


@pytest.fixture
def sent(store: Store, other: Store, session_id: str, tmp_path: Path) -> Path:
    """The session as a file; the other library has it, with a label, and with something in its caches."""
    kind = LabelKind.INSTRUCTION
    store.commit([Edit(session_id=session_id, kind=kind, start=0, stop=5, value=SECRET, author="ann")])
    path = export_session(store, session_id, tmp_path)
    note_sent(store, session_id, path)
    import_session(other, path)
    for name in ("thumbnails", "clips"):
        (other.cache_dir / name).mkdir()
        (other.cache_dir / name / f"{session_id}-1.bin").write_bytes(b"picture")
    return path


def notice_for(session_id: str, **more: Any) -> dict[str, Any]:
    made = Withdrawal(session_id=new_id(), player="ann", at=datetime(2026, 11, 20, tzinfo=UTC))
    return made.model_dump(mode="json") | {"session_id": session_id} | more


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_a_withdrawn_session_is_left_out_and_not_passed_on(store: Store, session_id: str, tmp_path: Path) -> None:
    path = export_session(store, session_id, tmp_path)
    made = withdraw(store, session_id)
    assert (made.session_id, made.player) == (session_id, "ann")
    assert withdraw(store, session_id) == made
    assert store.search() == []
    assert [summary.withdrawn_at for summary in store.search(withdrawn=True)] == [made.at]
    assert store.summary(session_id).withdrawn_at == made.at
    assert store.summary(session_id).facts()["withdrawn_at"] == made.at
    for refused in (lambda: export_session(store, session_id, tmp_path), lambda: import_session(store, path)):
        with pytest.raises(
            Withdrawn, match=rf"Session {session_id} was withdrawn by ann on 20\d\d-\d\d-\d\d; it may not"
        ):
            refused()
    assert store.recording(session_id).meta.id == session_id  # its player still has it


def test_the_mark_outlives_the_index(store: Store, session_id: str) -> None:
    made = withdraw(store, session_id)
    store.enter(session_id)
    assert store.summary(session_id).withdrawn_at == made.at
    root = store.root
    store.close()
    for path in root.glob(f"{NAME}*"):
        path.unlink()
    with Store.open(root) as again:
        assert again.rebuild() == (1, [])
        assert again.search() == []
        assert again.summary(session_id).withdrawn_at == made.at
        again.delete(session_id)
        assert again.search(withdrawn=True) == []


def test_a_damaged_mark_never_lets_a_session_back_in(store: Store, session_id: str, tmp_path: Path) -> None:
    withdraw(store, session_id)
    (store.session_folder(session_id) / MARK_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(BadFile, match="not a withdrawal notice"):
        export_session(store, session_id, tmp_path)
    with pytest.raises(BadFile, match="not a withdrawal notice"):
        store.enter(session_id)
    assert store.search() == []


def test_a_notice_removes_everything_where_the_session_was_sent(
    store: Store, other: Store, session_id: str, sent: Path, tmp_path: Path
) -> None:
    stays = record(other)
    (other.cache_dir / "thumbnails" / f"{stays}-1.jpg").write_bytes(b"picture")
    notice = write_notice(withdraw(store, session_id), tmp_path)
    assert notice.name == f"{session_id}{SUFFIX}"
    assert notice.stat().st_size < 500
    for removed in (True, False):  # a second time finds nothing left
        assert apply_notice(other, notice).removed is removed
    assert [summary.id for summary in other.search(withdrawn=True)] == [stays]
    with pytest.raises(NotFound):
        other.recording(session_id)
    left = list(other.root.rglob(f"*{session_id}*"))
    assert left == [other.root / "withdrawn" / f"{session_id}.json"]
    assert (other.cache_dir / "thumbnails" / f"{stays}-1.jpg").exists()
    everything = [path.read_bytes() for path in other.root.rglob("*") if path.is_file()]
    assert not any(b"xyzzy" in content for content in everything)
    with pytest.raises(Withdrawn, match=f"Session {session_id} was withdrawn by ann"):
        import_session(other, sent)
    assert other.recording(stays).meta.id == stays


def test_a_notice_before_the_session_keeps_it_out(store: Store, session_id: str, sent: Path, tmp_path: Path) -> None:
    notice = write_notice(withdraw(store, session_id), tmp_path / f"mine{SUFFIX}")
    with Store.open(tmp_path / "third") as third:
        assert not apply_notice(third, notice).removed
        with pytest.raises(Withdrawn):
            import_session(third, sent)
        assert third.rebuild() == (0, [])
        assert list(third.sessions_dir.iterdir()) == []


def test_a_removal_that_was_cut_off_is_ended_by_the_next_try(
    store: Store, other: Store, session_id: str, sent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = write_notice(withdraw(store, session_id), tmp_path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "forget", killed)
        with pytest.raises(KeyboardInterrupt):
            apply_notice(other, notice)
    with pytest.raises(Withdrawn):
        import_session(other, sent)
    apply_notice(other, notice)
    assert other.search(withdrawn=True) == []
    assert list(other.sessions_dir.iterdir()) == []


def test_a_session_that_the_index_or_the_folder_lacks(
    store: Store, other: Store, session_id: str, sent: Path, tmp_path: Path
) -> None:
    notice = write_notice(withdraw(store, session_id), tmp_path)
    shutil.rmtree(other.session_folder(session_id))
    assert apply_notice(other, notice).removed
    assert other.search(withdrawn=True) == []
    with Store.open(tmp_path / "third") as third:
        folder = third.sessions_dir / session_id
        shutil.copytree(store.session_folder(session_id), folder)
        (folder / MARK_NAME).unlink()
        (folder / "session.json").write_bytes(b"junk")  # not even its player can be read
        assert apply_notice(third, notice).removed
        assert not folder.exists()


def test_notices_that_are_refused(store: Store, other: Store, session_id: str, sent: Path, tmp_path: Path) -> None:
    path = tmp_path / f"notice{SUFFIX}"
    with pytest.raises(BadArgument, match="another player"):
        apply_notice(other, write_json(path, notice_for(session_id, player="mallory")))
    lock = recording_lock(other.session_folder(session_id))
    with lock, pytest.raises(BadArgument, match="being recorded"):
        apply_notice(other, write_json(path, notice_for(session_id)))
    with pytest.raises(BadArgument, match=r"in this library; `playtape-db delete`"):
        apply_notice(store, write_notice(withdraw(store, session_id), tmp_path))
    assert store.recording(session_id)
    assert other.recording(session_id)
    assert not (other.root / "withdrawn").exists()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{" * 4000,
        b"[" * 4096,
        b'{"format": 1}',
        json.dumps(notice_for("../../../etc/passwd")).encode(),
        json.dumps(notice_for("01890000-0000-7000-8000-000000000000/..")).encode(),
        json.dumps(notice_for("*")).encode(),
        json.dumps(notice_for("")).encode(),
        json.dumps(notice_for(new_id().upper())).encode(),
        json.dumps(notice_for(f"{new_id()}\n")).encode(),
        json.dumps(notice_for(new_id(), kind="other")).encode(),
        json.dumps(notice_for(new_id(), player="a" * 201)).encode(),
        json.dumps(notice_for(new_id(), at="2026-11-20T10:00:00")).encode(),
        json.dumps(notice_for(new_id(), at="9" * 40)).encode(),
        json.dumps(notice_for(new_id(), more="x")).encode(),
        json.dumps(notice_for(new_id(), format=-1)).encode(),
        json.dumps(notice_for(new_id())).encode() + b" " * 4096,
        b'{"player":"' + b"a" * 50_000_000 + b'"}',
    ],
    ids=lambda text: repr(text[:30]),
)
def test_hostile_notices_change_nothing(store: Store, session_id: str, tmp_path: Path, text: bytes) -> None:
    path = tmp_path / f"hostile{SUFFIX}"
    path.write_bytes(text)
    before = contents(store.root)
    with pytest.raises(BadFile, match="hostile"):
        apply_notice(store, path)
    assert contents(store.root) == before
    assert [summary.id for summary in store.search()] == [session_id]


def contents(root: Path) -> dict[Path, bytes]:
    """Every file but the index, which readers touch too."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.name.startswith(NAME)}


def test_what_is_no_file(other: Store, tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        read_notice(tmp_path / "missing")
    with pytest.raises(BadFile):
        read_notice(tmp_path)
    with pytest.raises(TooNew, match="update Playtape"):
        read_notice(write_json(tmp_path / "new", {"format": 2, "anything": []}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    with pytest.raises(PlaytapeError) as raised:
        read_notice(path)
    assert str(path) in str(raised.value)


def test_what_was_sent_is_remembered(store: Store, session_id: str, tmp_path: Path) -> None:
    assert sendings(store.root) == {}
    first = note_sent(store, session_id, tmp_path / "a.playtape")
    second = note_sent(store, session_id, tmp_path / "b.playtape")
    assert sendings(store.root) == {session_id: (first, second)}
    store.delete(session_id)
    made = withdraw(store, session_id)  # sent, then deleted here: it can still be taken back
    assert made.player == "ann"
    assert find_withdrawal(store, session_id) == made
    with pytest.raises(NotFound):
        withdraw(store, new_id())
    (store.root / "sent.json").write_bytes(b"junk")
    with pytest.raises(BadFile, match=r"sent\.json is damaged"):
        sendings(store.root)


def test_a_session_that_is_being_recorded(store: Store, session_id: str) -> None:
    with recording_lock(store.session_folder(session_id)), pytest.raises(BadArgument, match="being recorded"):
        withdraw(store, session_id)


def old_library(root: Path) -> str:
    """A library as the first revision of the index left it, with one labelled session; gives its id."""
    with Store.open(root) as store:
        session_id = record(store, Take())
        store.commit([Edit(session_id=session_id, kind=LabelKind.NOTE, value=SECRET, author="ann")])
        store.set_review(session_id, Review.ACCEPTED, "ann")
    (root / NAME).rename(root / "new.sqlite")
    engine = create_engine(f"sqlite:///{root / NAME}")
    with engine.connect() as old:
        config = _config()
        config.attributes["connection"] = old
        command.upgrade(config, "0001")
        old.commit()
        old.exec_driver_sql(f"ATTACH '{root / 'new.sqlite'}' AS new")
        for table in ("person", "session", "edit"):
            names = ", ".join(f'"{column["name"]}"' for column in inspect(old).get_columns(table))
            old.exec_driver_sql(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
        old.commit()
    engine.dispose()
    (root / "new.sqlite").unlink()
    return session_id


def test_an_older_library_gets_the_new_table(tmp_path: Path) -> None:
    session_id = old_library(tmp_path / "old")
    with Store.open(tmp_path / "old") as store:
        assert [(s.id, s.review, s.withdrawn_at) for s in store.search()] == [(session_id, Review.ACCEPTED, None)]
        assert len(list(store.root.glob("index-before-*.sqlite"))) == 1
        notice = write_json(tmp_path / "notice", notice_for(session_id))
        apply_notice(store, notice)
        assert not list(store.root.glob("index-before-*.sqlite"))  # it held the session's labels too
    everything = [path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()]
    assert not any(b"xyzzy" in content for content in everything)
