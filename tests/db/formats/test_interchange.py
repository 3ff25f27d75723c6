"""Sessions travel as files and merge where they are there already; what cannot be leaves nothing behind."""

from __future__ import annotations

import errno
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from db.errors import BadFile, Conflict, DiskFull, NotFound
from db.formats.format import Asked
from db.formats.interchange import export_session, import_session
from db.formats.sessionfile import FORMAT
from db.formats.transfer import write_out
from db.labelling.labels import Edit, LabelKind, Review, new_id
from db.recording.session import FACTS_NAME, SessionState, read_meta, write_meta
from db.specs import CaptureSpec
from db.store import Store
from recordings import Take, record

MANIFEST = "manifest.json"


@pytest.fixture
def other(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Store.open(tmp_path / "other") as opened:
        yield opened


def instruction(session_id: str, **more: Any) -> Edit:
    kind = LabelKind.INSTRUCTION
    return Edit(session_id=session_id, kind=kind, start=0, stop=5, author="ann", **more)


def test_a_session_travels_whole(store: Store, other: Store, tmp_path: Path) -> None:
    times = [10**9 + i * 100_000_000 for i in range(40)]
    session_id = record(store, Take(times_ns=times, capture=CaptureSpec(segment_s=1.5)))
    store.commit([instruction(session_id, value="☃")])
    store.set_review(session_id, Review.ACCEPTED, "ann")
    path = export_session(store, session_id, tmp_path)
    assert path.name == f"{session_id}.playtape"
    report = import_session(other, path)
    assert (report.session_id, report.created, report.edits_added, report.conflicts) == (session_id, True, 2, 0)
    here, there = store.session_folder(session_id), other.session_folder(session_id)
    assert {p.name: p.read_bytes() for p in here.iterdir()} == {p.name: p.read_bytes() for p in there.iterdir()}
    assert other.edits(session_id) == store.edits(session_id)
    assert other.summary(session_id).review is Review.ACCEPTED
    assert other.verify(session_id) == []
    again = export_session(other, session_id, tmp_path / "again.playtape")
    assert zipfile.ZipFile(again).read(MANIFEST) == zipfile.ZipFile(path).read(MANIFEST)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == sorted([path.name, again.name])


def test_an_export_tells_how_far_it_is_and_can_be_ended(store: Store, tmp_path: Path) -> None:
    session_id = record(store)
    told: list[float] = []
    path = export_session(store, session_id, tmp_path, progress=told.append)
    assert told == sorted(told)
    assert len(told) >= 6  # three files, read twice
    assert 0 < told[0] < told[-1] == 1.0
    path.unlink()

    def end(share: float) -> None:
        if share > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_session(store, session_id, tmp_path, progress=end)
    assert not list(tmp_path.glob("*.playtape*"))


def test_importing_twice_merges_annotations_and_shows_conflicts(store: Store, other: Store, tmp_path: Path) -> None:
    session_id = record(store)
    first = instruction(session_id)
    store.commit([first])
    import_session(other, export_session(store, session_id, tmp_path))
    store.commit([first.revised("ann", stop=9), instruction(session_id, value="only here")])
    other.commit([first.revised("bob", stop=12)])
    path = export_session(store, session_id, tmp_path)
    report = import_session(other, path)
    assert (report.created, report.edits_added, report.conflicts) == (False, 2, 1)
    assert len(other.edits(session_id)) == 4
    report = import_session(other, path)
    assert (report.edits_added, report.conflicts) == (0, 1)
    back = import_session(store, export_session(other, session_id, tmp_path / "back.playtape"))
    assert (back.edits_added, back.conflicts) == (1, 1)
    assert store.edits(session_id) == other.edits(session_id)


def test_another_revision_is_a_conflict(store: Store, other: Store, tmp_path: Path) -> None:
    session_id = record(store)
    path = export_session(store, session_id, tmp_path)
    import_session(other, path)
    folder = other.session_folder(session_id)
    write_meta(folder, read_meta(folder).model_copy(update={"revision": 2}))
    with pytest.raises(Conflict, match=r"revision 1 .* revision 2"):
        import_session(other, path)


def test_a_folder_that_the_index_does_not_know_yet(store: Store, tmp_path: Path) -> None:
    session_id = record(store)
    path = export_session(store, session_id, tmp_path)
    with Store.open(tmp_path / "third") as third:
        shutil.copytree(store.session_folder(session_id), third.sessions_dir / session_id)
        assert not import_session(third, path).created
        assert third.summary(session_id).frames == 30
    with Store.open(tmp_path / "fourth") as fourth:
        shutil.copytree(store.session_folder(session_id), fourth.sessions_dir / session_id)
        (fourth.sessions_dir / session_id / FACTS_NAME).write_bytes(b"junk")
        with pytest.raises(BadFile, match="own copy of this session cannot be used; move"):
            import_session(fourth, path)


def test_what_cannot_be_exported(store: Store, tmp_path: Path) -> None:
    session_id = record(store)
    folder = store.session_folder(session_id)
    with pytest.raises(NotFound):
        export_session(store, new_id(), tmp_path)
    with pytest.raises(BadFile):
        export_session(store, session_id, tmp_path / "no" / "such" / "folder")
    meta = read_meta(folder)
    write_meta(folder, meta.model_copy(update={"state": SessionState.RECORDING}))
    with pytest.raises(BadFile, match="recover"):
        export_session(store, session_id, tmp_path)
    write_meta(folder, meta)
    (folder / "video-000.mkv").unlink()
    with pytest.raises(BadFile, match=r"video-000\.mkv"):
        export_session(store, session_id, tmp_path)
    assert not list(tmp_path.glob("*.playtape*"))


@pytest.mark.parametrize("stage", ["export", "import"])
def test_a_full_disk_leaves_nothing_behind(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    session_id = record(store)
    path = export_session(store, session_id, tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if stage == "export":
        path.unlink()
        monkeypatch.setattr(zipfile.ZipFile, "open", full)
        with pytest.raises(DiskFull):
            export_session(store, session_id, tmp_path)
        assert not list(tmp_path.glob("*.playtape*"))
    else:
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(DiskFull, match=re.escape(f"no room left for {other.root};")):
            import_session(other, path)
        assert list(other.sessions_dir.iterdir()) == []


def test_what_another_program_brings_in_meanwhile_is_merged(store: Store, other: Store, tmp_path: Path) -> None:
    session_id = record(store)
    path = export_session(store, session_id, tmp_path)

    def meanwhile(share: float) -> None:
        if share == 1:
            import_session(other, path)

    report = import_session(other, path, progress=meanwhile)
    assert (report.created, report.edits_added) == (False, 0)
    assert [line.id for line in other.search()] == [session_id]
    assert [folder.name for folder in other.sessions_dir.iterdir()] == [session_id]


def test_an_archive_is_written_again_when_something_changed(store: Store, tmp_path: Path) -> None:
    session_id = record(store)
    path = tmp_path / f"{session_id}.playtape"

    def export(**asked: Any) -> str:
        (report,) = write_out(store, FORMAT, [session_id], tmp_path, Asked(**asked))
        return report.outcome

    path.write_bytes(b"another thing")
    assert export() == "written"
    before = path.stat()
    assert [export(), export(dry_run=True)] == ["known", "known"]
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    store.commit([instruction(session_id, value="walk")])
    assert [export(dry_run=True), export(), export()] == ["written", "written", "known"]
    path.write_bytes(path.read_bytes()[:-1000])
    assert export() == "written"
    store.redact(session_id, [(2, 5)])
    assert [export(), export()] == ["written", "known"]


def test_an_import_that_cannot_be_entered_leaves_nothing(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = export_session(store, record(store), tmp_path)

    def enter(*_: Any) -> None:
        raise DiskFull("full.")

    monkeypatch.setattr(Store, "enter", enter)
    with pytest.raises(DiskFull):
        import_session(other, path)
    assert list(other.sessions_dir.iterdir()) == []


# Hostile archives: each is a good one with something changed.
