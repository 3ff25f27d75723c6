"""The small copy: the same frames under the same indices, whole or not at all, and gone with what it shows."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from annotator.model.video import proxy as proxies
from annotator.model.video.proxy import Proxy, is_worthwhile, small_size
from annotator.model.video.proxy_writer import ProxyWriter, glimpse, make, matches
from db.errors import BadFile
from db.store import Store
from db.upkeep.diskuse import keep_quota
from films import B_FRAMES, Film, read

PLENTY = 2**40


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "CHUNK", 64)


def proxy_of(store: Store, session_id: str) -> Proxy:
    return Proxy(store.cache_dir, store.recording(session_id))


def made(store: Store, film: Film) -> tuple[str, Proxy]:
    session_id = film.record(store)
    proxy = proxy_of(store, session_id)
    assert make(proxy, store.recording(session_id), store.root, PLENTY)
    return session_id, proxy


@pytest.mark.parametrize(
    "film",
    [
        Film(count=150, gop=1000),
        Film(count=150, options=B_FRAMES, steps_ms=(7, 33, 250), start_ms=4321),
        Film(count=150, size_px=(1280, 722), segments=3),
    ],
)
def test_every_frame_is_there_under_its_index(store: Store, film: Film) -> None:
    _, proxy = made(store, film)
    assert proxy.is_whole
    assert proxy.frames_done == 150
    reader = proxy.reader()
    for index in random.Random(1).sample(range(150), 150):
        picture = reader.frame(index)
        assert read(picture) == index
    assert picture.shape[1] <= 960
    reader.close()


def test_it_is_worth_it_for_long_groups_and_large_pictures_only(store: Store) -> None:
    worth = {gop: is_worthwhile(store.recording(Film(count=90, gop=gop).record(store))) for gop in (30, 60)}
    assert worth == {30: False, 60: True}
    slow = Film(count=25, gop=25, steps_ms=(900,))
    assert not is_worthwhile(store.recording(slow.record(store)))
    assert is_worthwhile(store.recording(Film(count=31, size_px=(1920, 1080), gop=31).record(store)))
    assert is_worthwhile(store.recording(Film(count=3, size_px=(2048, 1152)).record(store)))


def test_sizes_are_small_even_and_of_the_same_shape() -> None:
    assert small_size((3840, 2160)) == (960, 540)
    assert small_size((640, 480)) == (640, 480)
    assert small_size((4000, 2)) == (960, 2)
    assert small_size((1366, 768)) == (960, 540)


def test_it_is_used_stretch_by_stretch_and_taken_up_again(store: Store) -> None:
    session_id = Film(count=150).record(store)
    proxy = proxy_of(store, session_id)
    writer = ProxyWriter(proxy, store.recording(session_id), store.root, PLENTY)
    steps = writer.write(lambda: 70)
    assert next(done for done in steps if done >= 64) == 64
    assert [proxy.covers(index) for index in (63, 64, 127, 128)] == [False, True, True, False]
    steps.close()
    assert [path.name for path in proxy.folder.glob("part*")] == []
    again = proxy_of(store, session_id)
    assert again.frames_done == 64
    stamp = again.path_of(1).stat().st_ino
    assert make(again, store.recording(session_id), store.root, PLENTY)
    assert again.path_of(1).stat().st_ino == stamp


def test_a_file_that_is_not_frame_for_frame_the_same_is_thrown_away(store: Store, monkeypatch) -> None:
    session_id = Film(count=40).record(store)
    recording = store.recording(session_id)
    proxy = proxy_of(store, session_id)
    honest = ProxyWriter._shrink
    late: list = []

    def shrink(self, frame):
        late.append(honest(self, frame))
        return late[-2] if len(late) > 20 else late[-1]

    monkeypatch.setattr(ProxyWriter, "_shrink", shrink)
    glimpses = []
    monkeypatch.setattr(
        "annotator.model.video.proxy_writer.glimpse", lambda f: glimpses.append(glimpse(late[-1])) or glimpses[-1]
    )
    monkeypatch.setattr("annotator.model.video.proxy_writer.matches", lambda path, _: matches(path, glimpses))
    with pytest.raises(BadFile, match="does not match"):
        make(proxy, recording, store.root, PLENTY)
    assert not proxy.covers(0)
    assert list(proxy.folder.glob("*.mkv")) == []


def test_a_proxy_of_another_video_does_not_count(store: Store) -> None:
    session_id, proxy = made(store, Film(count=90))
    other = Film(count=91).record(store)
    shutil.copytree(proxy.folder, store.cache_dir / "proxies" / f"{other}-1")
    foreign = proxy_of(store, other)
    assert foreign.frames_done == 0
    assert make(foreign, store.recording(other), store.root, PLENTY)
    reader = foreign.reader()
    assert read(reader.frame(90)) == 90
    reader.close()
    assert proxy_of(store, session_id).is_whole


def test_a_file_that_cannot_be_read_is_given_up(store: Store) -> None:
    _, proxy = made(store, Film(count=90))
    proxy.give_up(3)
    assert not proxy.covers(0)
    assert proxy.covers(64)
    assert not proxy.path_of(0).exists()
    assert proxy.lacking(0) is None


@pytest.mark.parametrize("film", [Film(count=90), Film(count=90, options=B_FRAMES, steps_ms=(7, 33, 250))])
def test_redacting_or_deleting_a_session_takes_its_proxy_away(store: Store, film: Film) -> None:
    session_id, proxy = made(store, film)
    store.redact(session_id, [(10, 20)])
    assert not proxy.folder.exists()
    assert list(store.cache_dir.rglob(f"{session_id}*")) == []
    fresh = proxy_of(store, session_id)
    assert make(fresh, store.recording(session_id), store.root, PLENTY)
    reader = fresh.reader()
    assert [read(reader.frame(i)) for i in (9, 20, 31, 89)] == [9, 20, 31, 89]
    assert all(reader.frame(i).max() < 40 for i in range(10, 20))
    assert reader.frame(15).max() < 40
    reader.close()
    store.delete(session_id)
    assert not fresh.folder.exists()


def test_what_is_made_while_a_session_is_redacted_is_thrown_away(store: Store) -> None:
    session_id = Film(count=150).record(store)
    recording = store.recording(session_id)
    proxy = proxy_of(store, session_id)
    steps = ProxyWriter(proxy, recording, store.root, PLENTY).write(lambda: 0)
    assert next(done for done in steps if done > 64)
    store.redact(session_id, [(100, 120)])
    with pytest.raises(BadFile):
        list(steps)
    assert list(store.cache_dir.rglob(f"{session_id}*")) == []
    late = ProxyWriter(proxy, recording, store.root, PLENTY)
    with pytest.raises(BadFile, match="being changed"):
        list(late.write(lambda: 0))
    assert not proxy.folder.exists()


def test_the_cache_keeps_its_quota(store: Store) -> None:
    session_id = Film(count=150).record(store)
    proxy = proxy_of(store, session_id)
    assert not make(proxy, store.recording(session_id), store.root, 1)
    file_bytes = 0
    steps = ProxyWriter(proxy, store.recording(session_id), store.root, PLENTY).write(lambda: 0)
    while not file_bytes:
        next(steps)
        file_bytes = proxy.path_of(0).stat().st_size if proxy.covers(0) else 0
    steps.close()
    assert not make(proxy, store.recording(session_id), store.root, file_bytes * 2)  # of three
    keep_quota(store.root, 0)
    proxy.refresh()
    assert proxy.frames_done == 0


def test_glimpses_tell_frames_apart(store: Store, tmp_path: Path) -> None:
    recording = store.recording(Film(count=4).record(store))
    reader = recording.video()
    seen = [glimpse(frame) for _, frame in reader.decode(range(4))]
    reader.close()
    assert np.abs(seen[0] - seen[3]).mean() > 16
