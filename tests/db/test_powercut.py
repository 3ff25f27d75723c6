"""A power cut at any instant: every file as its last sync left it, and of what was written since, anything."""

from __future__ import annotations

import bisect
import itertools
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.media.video import VideoWriter, packet_table
from db.recording.recovery import recover
from db.recording.session import LOCK_NAME, SessionState, read_meta
from db.recording.verification import verify
from db.specs import CaptureSpec
from db.store import Store
from disk import Call, Disk, File, can_trace, read_trace, replay, traced
from recordings import Take, barcode, frame_times, read_barcode

FRAMES = 120

RECORDING = f"""
import os, sys
from pathlib import Path
from recordings import FRAME_NS, KEY_W, Take, barcode, frame_times, key
from db.specs import CaptureSpec
from db.store import Store
from db.media.video import VideoWriter
from db.recording.writer import SessionWriter

def tell(what):
    os.write(1, (what + "\\n").encode())

store = Store.open(Path(sys.argv[1]))
tell("open")
meta = Take(capture=CaptureSpec(segment_s=1.5)).meta()
folder = store.create_session(meta)
writer = SessionWriter.create(folder, meta)
video = VideoWriter(folder, meta.size_px, meta.capture)
rows = []
for i, t in enumerate(frame_times({FRAMES})):
    rows.append(video.write(barcode(i), t - 1, t))
    writer.write_events([key(t + 5, KEY_W, (i + 1) % 2)])
    if i % 15 == 14:
        waiting = video.frame_count - video.sync()
        writer.write_frames(rows[: len(rows) - waiting])
        writer.commit()
        rows = rows[len(rows) - waiting :]
        tell(f"committed {{writer.frame_count}}")
video.close()
writer.write_frames(rows)
writer.finish(t_stop_ns=t + FRAME_NS, end_reason="stopped", segments=video.segments)
tell(f"finished {{writer.frame_count}}")
store.enter(meta.id)
tell("entered")
store.close()
"""


@dataclass
class Trace:
    root: Path
    calls: list[Call]
    """Only those of the library's files."""
    told: list[tuple[int, str]]
    """What the program said, and how many of the calls had been made by then."""

    def when(self, word: str) -> int:
        return next(at for at, text in self.told if text.startswith(word))

    def promised(self, at: int) -> int:
        """How many frames had been committed before call number `at`."""
        place = bisect.bisect_right(self.told, at, key=lambda told: told[0])
        counts = [int(text.split()[1]) for _, text in self.told[:place] if " " in text]
        return counts[-1] if counts else 0


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """One recording of four seconds in three segments, all its file calls written down."""
    if not can_trace():
        pytest.skip("strace is not installed, or may not trace here")
    folder = tmp_path_factory.mktemp("traced")
    (folder / "root").mkdir()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(str(p) for p in Path(__file__).parents[1:3])}
    command = [sys.executable, "-P", "-c", RECORDING, str(folder / "root" / "library")]
    subprocess.run(traced(command, folder / "log"), env=environment, check=True, stdout=subprocess.PIPE)
    result = Trace(folder / "root", [], [])
    for call in read_trace(folder / "log"):
        if call.path.startswith(str(result.root)):
            result.calls.append(call)
        elif call.name == "write" and call.data.endswith(b"\n"):
            result.told.append((len(result.calls), call.data.decode().strip()))
    assert result.told[-1][1] == "entered"
    return result


def test_the_model_of_the_disk_holds_what_the_disk_holds(trace: Trace, tmp_path: Path) -> None:
    disk = Disk(trace.root)
    assert sum(1 for _ in replay(disk, trace.calls)) == len(trace.calls)
    for path in [p for p in trace.root.rglob("*") if p.is_file()]:
        node = disk._node(str(path))
        assert isinstance(node, File)
        assert bytes(node.seen) == path.read_bytes()
        assert node.safe == node.seen  # nothing of a finished session waits to be written


STEPS = ("sync", "rename", "unlink", "truncate", "open", "mkdir")
"""The calls that change what a power cut leaves."""


def cut_and_recover(trace: Trace, stops: list[int], tmp_path: Path, dice: random.Random) -> None:
    """Cuts the power after so many calls, for each of `stops`, and checks what the next launch finds."""
    disk = Disk(trace.root)
    stops = sorted(set(stops))
    for at, _ in enumerate(replay(disk, trace.calls), 1):
        if not stops or at != stops[0]:
            continue
        stops.pop(0)
        library = tmp_path / f"cut-{at}"
        disk.cut(library, dice)
        check(library / "library", trace.promised(at), whole=at >= trace.when("entered"))
    assert not stops


def check(library: Path, promised: int, *, whole: bool) -> None:
    with Store.open(library) as store:
        reports = store.recover()
        found = store.search()
        assert [report.error for report in reports if report.error and "nothing to keep" not in report.error] == []
        assert len(found) == 1 or promised == 0
        for summary in found:
            assert summary.frames >= promised
            assert verify(store.session_folder(summary.id)) == []
            reader = store.recording(summary.id).video()
            shown = [read_barcode(picture) for _, picture in reader.read(range(summary.frames))]
            reader.close()
            assert shown == list(range(summary.frames))
        if whole:
            assert reports == []
            assert found[0].frames == FRAMES
            assert found[0].state is SessionState.COMPLETE
        assert store.recover() == []
        left = [path for path in store.sessions_dir.iterdir() if {p.name for p in path.iterdir()} - {LOCK_NAME}]
        assert [path.name for path in left] == [summary.id for summary in found]


@pytest.mark.parametrize("seed", range(4))
def test_a_power_cut_while_recording(trace: Trace, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    cut_and_recover(trace, dice.sample(range(trace.when("open"), trace.when("finished")), 12), tmp_path, dice)


def test_a_power_cut_between_any_two_steps_of_the_end(trace: Trace, tmp_path: Path) -> None:
    """Of finishing and entering: each of the steps that change what a power cut leaves."""
    last = max(at for at, text in trace.told if text.startswith("committed"))
    stops = [at for at in range(last, len(trace.calls)) if trace.calls[at].name in STEPS]
    dice = random.Random(11)
    cut_and_recover(trace, [*stops, *(at + 1 for at in stops)], tmp_path, dice)


def test_a_power_cut_around_a_new_segment(trace: Trace, tmp_path: Path) -> None:
    opened = [at for at, call in enumerate(trace.calls) if call.name == "open" and "video-001" in call.path]
    cut_and_recover(trace, list(range(opened[0] - 12, opened[0] + 8)), tmp_path, random.Random(5))


def test_a_power_cut_while_a_session_is_recovered(trace: Trace, tmp_path: Path) -> None:
    """The first cut leaves a session with a second segment; then recovery itself is cut off, after half of its steps."""
    dice = random.Random(3)
    at = [at for at, text in trace.told if text.startswith("committed")][5] + 3
    disk, root = Disk(trace.root), tmp_path / "root"
    for _ in itertools.islice(replay(disk, trace.calls), at):
        pass
    disk.cut(root, dice)
    shutil.copytree(root, tmp_path / "before")
    command = [sys.executable, "-P", "-m", "db", "recover", "--library", str(root / "library")]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(traced(command, tmp_path / "log"), env=environment, check=True, stdout=subprocess.DEVNULL)
    again = Disk(root, tmp_path / "before")
    for number, call in enumerate(replay(again, read_trace(tmp_path / "log"))):
        if call.name in STEPS and dice.random() < 0.5:
            again.cut(tmp_path / f"again-{number}", dice)
            check(tmp_path / f"again-{number}" / "library", trace.promised(at), whole=False)
            shutil.rmtree(tmp_path / f"again-{number}")


def test_a_sync_tells_which_frames_are_in_the_file(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path, (64, 48), CaptureSpec(segment_s=1.5))
    for i, t in enumerate(frame_times(60)):
        writer.write(barcode(i), t - 1, t)
        if i % 7 == 0:
            safe = writer.sync()
            assert i - 15 < safe <= i + 1
            assert sum(len(packet_table(path)[0]) for path in tmp_path.glob("video-*")) >= safe
    writer.close()


@pytest.mark.parametrize("torn", ["zeroed", "garbled"])
def test_a_disk_that_lied_about_a_sync_loses_only_its_tail(tmp_path: Path, torn: str) -> None:
    """The packets at the end are there by their headers, and hold nothing that decodes."""
    size_px = (160, 120)
    capture = CaptureSpec(segment_s=600, crf=10)
    dice = random.Random(2)

    def noisy(number: int):  # type: ignore[no-untyped-def]
        picture = barcode(number, size_px)
        picture[60:] = int.from_bytes(dice.randbytes(1), "big") // 2
        return picture

    meta = Take(count=90, size_px=size_px, capture=capture, picture=noisy).write(tmp_path / "s")
    (tmp_path / "s" / "session.json").write_text(
        meta.model_copy(update={"state": SessionState.RECORDING}).model_dump_json()
    )
    path = tmp_path / "s" / "video-000.mkv"
    data = bytearray(path.read_bytes())
    start = len(data) * 9 // 10
    stop = start + 600
    data[start:stop] = bytes(stop - start) if torn == "zeroed" else dice.randbytes(stop - start)
    path.write_bytes(data)
    report = recover(tmp_path / "s")
    assert report.error == ""
    assert 60 <= report.frames < 90
    assert verify(tmp_path / "s") == []
    assert read_meta(tmp_path / "s").state is SessionState.RECOVERED
