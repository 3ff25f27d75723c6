"""The process beside: it says how far it is, ends with whoever started it, and what it made stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from annotator.model.video.proxy import CHUNK, Proxy
from annotator.model.video.proxy_writer import make
from films import Film, read

FILM = Film(count=2 * CHUNK + 40, gop=10_000, size_px=(320, 180))


@contextmanager
def maker(store, session_id: str) -> Iterator[subprocess.Popen]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-P", "-m", "annotator.proxy_maker", str(store.root), session_id]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def proxy_of(store, session_id: str) -> Proxy:
    return Proxy(store.cache_dir, store.recording(session_id))


def is_exact(proxy: Proxy) -> bool:
    reader = proxy.reader()
    try:
        return all(read(picture) == index for index, picture in reader.read(range(proxy.frame_count)))
    finally:
        reader.close()


def test_it_makes_all_and_says_how_far_it_is(store) -> None:
    session_id = FILM.record(store)
    with maker(store, session_id) as process:
        lines = [json.loads(line) for line in process.stdout]
        assert process.wait() == 0
    done = [line["done"] for line in lines]
    assert done == sorted(done)
    assert (done[0], done[-1], lines[-1]["total"]) == (0, FILM.count, FILM.count)
    assert is_exact(proxy_of(store, session_id))


@pytest.mark.parametrize("ending", ["hang up", "kill"])
def test_it_may_end_at_any_time(store, ending) -> None:
    session_id = FILM.record(store)
    with maker(store, session_id) as process:
        while not proxy_of(store, session_id).frames_done:
            assert process.stdout.readline()
        if ending == "kill":
            process.kill()
        process.stdin.close()
        assert process.wait() in (0, -9)
    proxy = proxy_of(store, session_id)
    assert proxy.frames_done >= CHUNK
    assert make(proxy, store.recording(session_id), store.root, 2**40)
    assert is_exact(proxy)
    assert not list(proxy.folder.glob("part*"))


def test_two_of_them_do_not_get_in_each_others_way(store) -> None:
    session_id = FILM.record(store)
    with maker(store, session_id) as first, maker(store, session_id) as second:
        for process in (first, second):
            assert json.loads(process.stdout.readlines()[-1])["done"] == FILM.count
            assert process.wait() == 0
    assert is_exact(proxy_of(store, session_id))


def test_what_cannot_be_made_is_a_sentence(store) -> None:
    with maker(store, "01a00000-0000-7000-8000-000000000000") as process:
        assert process.wait() == 1
        assert "no session" in process.stderr.read().lower()
