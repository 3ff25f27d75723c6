from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.errors import BadArgument, BadFile, NotFound, StoreReadOnly
from db.labelling.edits import read_mirror
from db.labelling.labels import Edit, LabelKind, Review, conflicts, new_id
from db.library.index import NAME
from db.media.video import VideoWriter
from db.recording import recovery
from db.recording.session import FACTS_NAME, META_NAME, MIRROR_NAME, SessionState, read_meta, write_meta
from db.recording.writer import SessionWriter
from db.store import Store
from recordings import FRAME_NS, Take, barcode, frame_times, record

ROOT = Path(__file__).parents[2]


def instruction(session_id: str, text: str = "shoot the monsters") -> Edit:
    return Edit(session_id=session_id, kind=LabelKind.INSTRUCTION, start=0, stop=5, value=text, author="ann")


def cut_off(store: Store, frames: int = 40) -> str:
    meta = Take().meta()
    folder = store.create_session(meta)
    writer = SessionWriter.create(folder, meta)
    video = VideoWriter(folder, meta.size_px, meta.capture)
    writer.write_frames([video.write(barcode(i), t - 1, t) for i, t in enumerate(frame_times(frames))])
    writer.commit()
    video.close()
    writer.abandon()
    return meta.id


def test_a_session_that_was_entered_is_listed(store: Store) -> None:
    session_id = record(store, Take(game="doom", player="bob", group_id="evening"))
    summary = store.summary(session_id)
    assert [s.id for s in store.search()] == [session_id]
    assert (summary.game, summary.player, summary.group_id) == ("doom", "bob", "evening")
    assert (summary.frames, summary.duration_ns) == (30, 30 * FRAME_NS)
    assert summary.review is Review.UNLABELLED
    assert summary.grade == "usable"
    assert summary.verified_at is None
    assert store.people() == {"bob": ""}
    assert summary.facts()["duration_s"] == 1.0


def test_search(store: Store) -> None:
    doom = record(store, Take(game="Doom_2", player="bob"))
    quake = record(store, Take(game="quake", player="ann", group_id="g"))
    store.commit([instruction(quake, "find 100% of the secrets")])
    store.set_review(quake, Review.ACCEPTED, "ann")
    found = {
        "game": store.search(game="quake"),
        "player": store.search(player="ann"),
        "group": store.search(group="g"),
        "review": store.search(review=Review.ACCEPTED),
        "label": store.search(text="100% of"),
        "case": store.search(text="QUAK"),
    }
    assert {name: [s.id for s in lines] for name, lines in found.items()} == {name: [quake] for name in found}
    assert [s.id for s in store.search(text="m_2")] == [doom]
    assert store.search(text="x_2") == []
    assert store.search(text="1%z") == []  # a per cent sign is no wildcard
    assert [s.id for s in store.search()] == [quake, doom]


def test_find(store: Store, session_id: str) -> None:
    assert store.find(session_id) == session_id
    assert store.find(session_id[-6:]) == session_id
    assert store.find(session_id[:8]) == session_id
    for part in ("", "zzz", "%"):
        with pytest.raises(NotFound):
            store.find(part)
    record(store)
    with pytest.raises(BadArgument, match="fits 2 sessions"):
        store.find(session_id[:4])


@pytest.mark.parametrize("name", ["", ".", "..", "../session.json", "/etc/passwd", "a/b"])
def test_names_that_leave_the_folder_are_refused(store: Store, session_id: str, name: str) -> None:
    with pytest.raises(BadArgument):
        store.media(session_id, name)


def test_media(store: Store, session_id: str) -> None:
    assert store.media(session_id, "video-000.mkv").is_file()
    with pytest.raises(NotFound, match="has no file"):
        store.media(session_id, "video-001.mkv")
    for wrong in ("../x", "", new_id() + "/.."):
        with pytest.raises(BadArgument):
            store.session_folder(wrong)
    with pytest.raises(NotFound):
        store.session_folder(new_id())
    with pytest.raises(NotFound):
        store.summary(new_id())


def test_a_session_that_is_not_whole_is_not_entered(store: Store) -> None:
    session_id = record(store, enter=False)
    path = store.session_folder(session_id) / "video-000.mkv"
    whole = path.read_bytes()
    path.write_bytes(whole[:4000])
    with pytest.raises(BadFile, match="packets but 30 frames"):
        store.enter(session_id)
    assert store.search() == []
    path.write_bytes(whole)
    assert store.enter(session_id).id == session_id
    assert store.enter(session_id).id == session_id  # again brings it up to date


def test_verify_notes_what_it_found(store: Store, session_id: str) -> None:
    assert store.verify(session_id) == []
    assert store.summary(session_id).verified_at is not None
    path = store.session_folder(session_id) / "video-000.mkv"
    path.write_bytes(path.read_bytes()[:3000])
    assert store.verify(session_id) != []
    assert store.summary(session_id).verified_at is None
    (store.session_folder(session_id)).rename(store.root / "elsewhere")
    assert "is missing" in store.verify(session_id)[0]


def test_deleting(store: Store, session_id: str) -> None:
    store.commit([instruction(session_id)])
    store.delete(session_id)
    assert store.search() == []
    assert list(store.sessions_dir.iterdir()) == []
    with pytest.raises(NotFound):
        store.delete(session_id)
    assert store.recover() == []


def test_the_review_moves_by_its_steps(store: Store, session_id: str) -> None:
    store.set_review(session_id, Review.ACCEPTED, "ann")
    edit = store.set_review(session_id, Review.REJECTED, "bob", source="script")
    assert (edit.author, edit.source) == ("bob", "script")
    assert store.summary(session_id).review is Review.REJECTED
    with pytest.raises(BadArgument, match="rejected cannot become unlabelled"):
        store.set_review(session_id, Review.UNLABELLED, "ann")
    assert [e.value for e in store.edits(session_id)] == ["accepted", "rejected"]
    assert len(read_mirror(store.session_folder(session_id))) == 2
    with pytest.raises(NotFound):
        store.set_review(new_id(), Review.ACCEPTED, "ann")


def test_of_two_reviews_from_two_machines_the_newest_moves_on(store: Store, session_id: str) -> None:
    for entity, state in (("f" * 36, "accepted"), ("0" * 36, "fixing")):
        edit = Edit(session_id=session_id, entity_id=entity, kind=LabelKind.REVIEW, value=state, author="x")
        store.merge(session_id, [edit])
    assert store.summary(session_id).review is Review.FIXING
    assert store.set_review(session_id, Review.IN_REVIEW, "ann").entity_id == "0" * 36
    assert store.summary(session_id).review is Review.IN_REVIEW


def test_recovering_a_library(store: Store, session_id: str) -> None:
    cut, unentered, damaged = cut_off(store), record(store, enter=False), cut_off(store)
    (store.session_folder(damaged) / FACTS_NAME).write_bytes(b"junk")
    lost = record(store, enter=False)
    (store.session_folder(lost) / META_NAME).unlink()
    (store.sessions_dir / "importing-x").mkdir()
    (store.sessions_dir / new_id()).mkdir()  # a recording that begins just now
    assert {folder.name for folder in store.orphans()} == {cut, unentered, damaged, lost}
    reports = {report.session_id: report for report in store.recover()}
    assert set(reports) == {cut, unentered, damaged, lost}
    assert (reports[cut].frames, reports[cut].error) == (40, "")
    assert (reports[unentered].frames, reports[unentered].error) == (30, "")
    assert FACTS_NAME in reports[damaged].error
    assert META_NAME in reports[lost].error
    assert {s.id for s in store.search()} == {session_id, cut, unentered}
    assert store.summary(cut).state is SessionState.RECOVERED
    assert {report.session_id for report in store.recover()} == {damaged, lost}


def test_a_session_being_recorded_is_left_alone(store: Store) -> None:
    meta = Take().meta()
    writer = SessionWriter.create(store.create_session(meta), meta)
    assert store.recover() == []
    with pytest.raises(BadArgument, match="being recorded"):
        store.delete(meta.id)
    writer.abandon()


def test_only_sessions_that_lag_are_looked_into(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = [record(store) for _ in range(3)]
    for session_id in sessions:
        store.commit([instruction(session_id)])
    (store.session_folder(sessions[1]) / MIRROR_NAME).write_bytes(b"")
    read: list[str] = []
    original = Store.edits
    monkeypatch.setattr(Store, "edits", lambda self, session_id: read.append(session_id) or original(self, session_id))
    monkeypatch.setattr(recovery, "read_meta", lambda folder: pytest.fail(f"{folder} was opened"))
    assert store.recover() == []
    assert read == [sessions[1]]
    assert len(read_mirror(store.session_folder(sessions[1]))) == 1


def test_a_lost_index_comes_back_from_the_folders(store: Store, tmp_path: Path) -> None:
    sessions = [record(store) for _ in range(2)]
    edits = [instruction(sessions[0]), instruction(sessions[1])]
    store.commit(edits)
    store.set_review(sessions[0], Review.ACCEPTED, "ann")
    logs = {session_id: store.edits(session_id) for session_id in sessions}
    mirror = store.session_folder(sessions[1]) / MIRROR_NAME
    mirror.write_bytes(b"not json\n" + mirror.read_bytes())
    broken = record(store)
    (store.session_folder(broken) / "video-000.mkv").unlink()
    cut = cut_off(store)
    store.close()
    for path in store.root.glob(f"{NAME}*"):
        path.unlink()
    with Store.open(store.root) as again:
        entered, problems = again.rebuild()
        assert entered == 2
        assert len(problems) == 2
        assert any(f"{MIRROR_NAME} is damaged in line 1" in text for text in problems)
        assert {session_id: again.edits(session_id) for session_id in sessions} == logs
        assert again.summary(sessions[0]).review is Review.ACCEPTED
        assert cut not in {s.id for s in again.search()}
        assert {r.session_id for r in again.recover() if not r.error} == {cut}


RACE = """
import sys
from db.errors import Conflict
from db.labelling.labels import Edit, LabelKind
from db.store import Store

root, session_id, first_id, author = sys.argv[1:]
with Store.open(root) as store:
    first = next(edit for edit in store.edits(session_id) if edit.id == first_id)
    sys.stdin.readline()
    kind = LabelKind.INSTRUCTION
    for i in range(25):
        store.commit([Edit(session_id=session_id, kind=kind, start=i, stop=i + 1, value=f"{author} {i}", author=author)])
    try:
        store.commit([first.revised(author, value=author)])
        print("won")
    except Conflict:
        print("conflict")
"""


def test_two_programs_commit_at_once_and_nothing_is_lost(store: Store, session_id: str) -> None:
    first = instruction(session_id)
    store.commit([first])
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(store.root), session_id, first.id, author],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for author in ("ann", "bob")
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert sorted(racer.communicate()[0].strip() for racer in racers) == ["conflict", "won"]
    log = store.edits(session_id)
    assert len(log) == 1 + 2 * 25 + 1
    assert conflicts(log) == {}
    assert sorted(e.id for e in read_mirror(store.session_folder(session_id))) == [e.id for e in log]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_library_is_told(store: Store, session_id: str) -> None:
    store.close()
    store.root.chmod(0o500)
    try:
        with pytest.raises(StoreReadOnly):
            Store.open(store.root).add_person("ann")
    finally:
        store.root.chmod(0o700)


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreReadOnly, match="cannot be made"):
        Store.open(tmp_path / "file" / "library")


def test_a_session_without_a_frame_goes(store: Store) -> None:
    meta = Take().meta()
    folder = store.create_session(meta)
    SessionWriter.create(folder, meta).finish(t_stop_ns=5, end_reason="stopped", segments=[])
    assert ["nothing to keep" in report.error for report in store.recover()] == [True]
    assert store.recover() == []


def test_a_newer_session_is_reported_and_kept(store: Store) -> None:
    session_id = record(store, enter=False)
    folder = store.session_folder(session_id)
    meta = read_meta(folder)
    write_meta(folder, meta.model_copy(update={"format": 99}))
    assert "update Playtape" in store.recover()[0].error
    assert "update Playtape" in store.rebuild()[1][0]
    assert (folder / "video-000.mkv").exists()
