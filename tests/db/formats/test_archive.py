"""An archive from a stranger is hostile until it is checked: what cannot be is refused, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BadFile, PlaytapeError, TooNew
from db.formats import interchange
from db.formats.interchange import export_session, import_session
from db.labelling.labels import Edit, LabelKind, new_id
from db.recording.session import FACTS_NAME, META_NAME, MIRROR_NAME
from db.store import Store
from recordings import record

MANIFEST = "manifest.json"
Members = dict[str, bytes]


def instruction(session_id: str) -> Edit:
    return Edit(session_id=session_id, kind=LabelKind.INSTRUCTION, start=0, stop=5, author="ann")


def seal(members: Members) -> Members:
    """Makes the manifest true to the members again."""
    manifest = json.loads(members[MANIFEST])
    names = [name for name in members if name != MANIFEST]
    described = {n: {"size": len(members[n]), "sha256": hashlib.sha256(members[n]).hexdigest()} for n in names}
    return members | {MANIFEST: json.dumps(manifest | {"files": described}).encode()}


def edit_manifest(**changes: Any) -> Callable[[Members], Members]:
    return lambda m: m | {MANIFEST: json.dumps(json.loads(m[MANIFEST]) | changes).encode()}


def edit_meta(**changes: Any) -> Callable[[Members], Members]:
    return lambda m: seal(m | {META_NAME: json.dumps(json.loads(m[META_NAME]) | changes).encode()})


def add(name: str, content: bytes = b"x") -> Callable[[Members], Members]:
    return lambda m: seal(m | {name: content})


def drop(name: str) -> Callable[[Members], Members]:
    return lambda m: seal({key: value for key, value in m.items() if key != name})


def lie(name: str, **claims: Any) -> Callable[[Members], Members]:
    def change(members: Members) -> Members:
        manifest = json.loads(members[MANIFEST])
        manifest["files"][name] |= claims
        return members | {MANIFEST: json.dumps(manifest).encode()}

    return change


def edit_facts(statement: str) -> Callable[[Members], Members]:
    def change(members: Members) -> Members:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(members[FACTS_NAME])
        connection.executescript(statement)
        return seal(members | {FACTS_NAME: connection.serialize()})

    return change


HOSTILE: dict[str, tuple[Callable[[Members], Members], type[PlaytapeError]]] = {
    "climbs out": (add("../evil.txt"), BadFile),
    "absolute": (add("/tmp/evil.txt"), BadFile),
    "a lock": (add("recording.lock"), BadFile),
    "a nested video": (add("a/video-001.mkv"), BadFile),
    "a surplus video": (add("video-001.mkv"), BadFile),
    "wrong hash": (lie("video-000.mkv", sha256="0" * 64), BadFile),
    "too small": (lie("video-000.mkv", size=10), BadFile),
    "too large": (lie("video-000.mkv", size=10**15), BadFile),
    "negative": (lie("video-000.mkv", size=-1), BadFile),
    "no manifest": (lambda m: {k: v for k, v in m.items() if k != MANIFEST}, BadFile),
    "broken manifest": (lambda m: m | {MANIFEST: b"{"}, BadFile),
    "huge manifest": (lambda m: m | {MANIFEST: b" " * (2 << 20)}, BadFile),
    "newer archive": (edit_manifest(format=3, colour="red"), TooNew),
    "another id": (edit_manifest(session_id=new_id()), BadFile),
    "an id that climbs": (edit_manifest(session_id="../../evil"), BadFile),
    "another revision": (edit_manifest(revision=3), BadFile),
    "listed, not there": (lambda m: {k: v for k, v in m.items() if k != FACTS_NAME}, BadFile),
    "no metadata": (drop(META_NAME), BadFile),
    "no facts": (drop(FACTS_NAME), BadFile),
    "no video": (drop("video-000.mkv"), BadFile),
    "newer session": (edit_meta(format=99, smell="pine"), TooNew),
    "still recording": (edit_meta(state="recording"), BadFile),
    "a segment that climbs": (edit_meta(segments=[{"name": "../video-000.mkv", "first_frame": 0}]), BadFile),
    "an absurd stop": (edit_meta(t_stop_ns=2**63), BadFile),
    "broken metadata": (add(META_NAME, b"\xff\xfe"), BadFile),
    "newer facts": (edit_facts("PRAGMA user_version = 7"), TooNew),
    "facts with a view": (edit_facts("DROP TABLE gap; CREATE VIEW gap AS SELECT 1"), BadFile),
    "facts that are junk": (add(FACTS_NAME, b"junk"), BadFile),
    "motion of no device": (edit_facts("UPDATE event SET x = 1e300"), BadFile),
    "a key that no keyboard has": (edit_facts("UPDATE event SET code = 60000 WHERE kind = 1"), BadFile),
    "an event of an unknown kind": (edit_facts("UPDATE event SET kind = 77"), BadFile),
    "an event of an unknown origin": (edit_facts("UPDATE event SET origin = 9"), BadFile),
    "an event before all time": (edit_facts("UPDATE event SET t_ns = -5"), BadFile),
    "a gap that ends before it begins": (edit_facts("INSERT INTO gap VALUES (9, 5, 'lost')"), BadFile),
    "a gap after all time": (edit_facts(f"INSERT INTO gap VALUES (9, {2**63 - 1}, 'lost')"), BadFile),
    "a gap without a reason": (edit_facts("INSERT INTO gap VALUES (5, 9, 'because')"), BadFile),
    "a gap with a long reason": (edit_facts("INSERT INTO gap VALUES (5, 9, hex(zeroblob(100000)))"), BadFile),
    "facts that are computed": (
        edit_facts("DROP TABLE gap; CREATE TABLE gap (start_ns, stop_ns, reason AS (hex(zeroblob(400000000))))"), BadFile,
    ),
    "facts of other columns": (edit_facts("ALTER TABLE gap ADD COLUMN smell TEXT"), BadFile),
    "facts with an index": (edit_facts("CREATE INDEX i ON event (abs(t_ns))"), BadFile),
    "a list of files as a video": (add("video-000.mkv", b"ffconcat version 1.0\nfile x.mkv\n"), BadFile),
    "addresses as a video": (
        add("video-000.mkv", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"), BadFile,
    ),
    "pictures of another size": (edit_meta(size_px=[128, 96]), BadFile),
    "facts that are open": (
        lambda m: seal(m | {FACTS_NAME: m[FACTS_NAME][:18] + b"\2\2" + m[FACTS_NAME][20:]}), BadFile,
    ),
    "more metadata than there is": (lie(META_NAME, size=5 << 20), BadFile),
    "more facts than there are": (lie(FACTS_NAME, size=3 << 30), BadFile),
    "endless motion": (edit_facts("UPDATE event SET x = 9e999"), BadFile),
    "labels that are junk": (add(MIRROR_NAME, b"junk\n"), BadFile),
    "another's labels": (add(MIRROR_NAME, instruction(new_id()).model_dump_json().encode() + b"\n"), BadFile),
    "a label far out": (add(MIRROR_NAME, instruction(new_id()).model_dump_json().replace('"stop":5', f'"stop":{2**70}').encode() + b"\n"), BadFile),
}  # fmt: skip


@pytest.fixture(scope="module")
def good_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    with Store.open(folder / "library") as store:
        session_id = record(store)
        store.commit([instruction(session_id)])
        return export_session(store, session_id, folder)


def pack(path: Path, members: Members, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def unpack(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refuse(store: Store, path: Path, kind: type[PlaytapeError]) -> None:
    outside = {p for p in store.root.parent.rglob("*") if store.root not in p.parents}
    with pytest.raises(kind) as caught:
        import_session(store, path)
    assert type(caught.value) is kind
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "importing-" not in str(caught.value)
    assert list(store.sessions_dir.iterdir()) == []
    assert store.search() == []
    assert {p for p in store.root.parent.rglob("*") if store.root not in p.parents} == outside


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives_are_refused_whole(store: Store, good_archive: Path, tmp_path: Path, case: str) -> None:
    change, kind = HOSTILE[case]
    refuse(store, pack(tmp_path / "hostile.playtape", change(unpack(good_archive))), kind)


def test_an_archive_of_an_older_format_is_read(store: Store, good_archive: Path, tmp_path: Path) -> None:
    """Its annotations name no steps and settle nothing."""
    members = unpack(good_archive)
    later = ("also", "step", "step_name", "reverts")
    lines = [json.loads(line) for line in members[MIRROR_NAME].splitlines()]
    old = [{key: value for key, value in line.items() if key not in later} for line in lines]
    members[MIRROR_NAME] = b"".join(json.dumps(line).encode() + b"\n" for line in old)
    report = import_session(store, pack(tmp_path / "old.playtape", edit_manifest(format=1)(seal(members))))
    (edit,) = store.edits(report.session_id)
    assert (edit.step, edit.also, edit.value) == (None, (), old[0]["value"])


def test_bombs_are_refused(store: Store, good_archive: Path, tmp_path: Path) -> None:
    members = unpack(good_archive)
    members["video-001.mkv"] = bytes(50_000_000)
    path = pack(tmp_path / "bomb.playtape", seal(members), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    refuse(store, path, BadFile)
    honest = pack(tmp_path / "packed.playtape", seal(unpack(good_archive)), zipfile.ZIP_DEFLATED)
    refuse(store, honest, BadFile)


@pytest.mark.parametrize("table", ["frame", "event", "gap"])
def test_more_rows_than_a_session_has_are_not_read(
    store: Store, good_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setitem(interchange._MOST_ROWS, table, 4)
    members = edit_facts(
        "INSERT INTO gap VALUES (1, 2, 'lost'), (3, 4, 'lost'), (5, 6, 'lost'), (7, 8, 'lost'), (8, 9, 'lost')"
    )
    path = pack(tmp_path / "rows.playtape", members(unpack(good_archive)))
    refuse(store, path, BadFile)
    with pytest.raises(BadFile, match=f"rows of the table {table}; no session has over 4"):
        import_session(store, path)


def test_more_annotations_than_a_session_has_are_not_read(
    store: Store, good_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interchange, "_MOST_EDITS", 2)
    members = unpack(good_archive)
    line = members[MIRROR_NAME].splitlines(keepends=True)[0]
    path = pack(tmp_path / "many.playtape", seal(members | {MIRROR_NAME: line * 3}))
    with pytest.raises(BadFile, match="holds over 2 annotations"):
        import_session(store, path)
    refuse(store, path, BadFile)
    import_session(store, good_archive)
    with pytest.raises(BadFile, match="holds over 2 annotations"):
        import_session(store, path)


def test_a_directory_as_large_as_the_archive_is_not_read(store: Store, tmp_path: Path) -> None:
    """A file with a hole in it takes no room on a disk, and zipfile would read all of what its end claims."""
    path, size = tmp_path / "hole.playtape", 1 << 30
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1000, 1000, size, 0, 0))
    tracemalloc.start()
    try:
        refuse(store, path, BadFile)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_link_in_an_archive_is_no_link_when_it_is_there(store: Store, good_archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "link.playtape"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in seal(unpack(good_archive) | {MIRROR_NAME: b"/etc/passwd"}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == MIRROR_NAME else 0
            archive.writestr(info, content)
    report = import_session(store, path)
    mirror = store.session_folder(report.session_id) / MIRROR_NAME
    assert not mirror.is_symlink()
    assert b"root:" not in mirror.read_bytes()


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_truncated_archives_are_refused(store: Store, good_archive: Path, tmp_path: Path, share: float) -> None:
    whole = good_archive.read_bytes()
    path = tmp_path / "cut.playtape"
    path.write_bytes(whole[: int(len(whole) * share)])
    refuse(store, path, BadFile)


def test_what_is_no_archive_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "text.playtape").write_text("hello")
    refuse(store, tmp_path / "text.playtape", BadFile)
    refuse(store, tmp_path / "missing.playtape", BadFile)
    (tmp_path / "folder.playtape").mkdir()
    refuse(store, tmp_path / "folder.playtape", BadFile)


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_byte_gets_through(store: Store, good_archive: Path, tmp_path: Path, data: st.DataObject) -> None:
    broken = bytearray(good_archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # most of an archive is video; its directory at the end and its manifest at the start are where readers trip
        at = data.draw(st.one_of(st.integers(0, len(broken) - 1), st.integers(len(broken) - 600, len(broken) - 1)))
        broken[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.playtape"
    path.write_bytes(broken)
    try:
        report = import_session(store, path)
    except PlaytapeError as error:
        said = str(error)
    else:  # the flip hit something that no reader looks at, such as a time stamp of the archive
        assert store.verify(report.session_id) == []
        store.delete(report.session_id)
        return
    assert "\n" not in said
    assert list(store.sessions_dir.iterdir()) == []
