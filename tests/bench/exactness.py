"""Whether the picture on screen is the frame whose index is shown: the number burnt into every picture is read back.

The real player steps, seeks, plays and loops at random through real sessions of every make of video: 10,000 things in
all, 500 of them on a minute with a single keyframe and as many in 4K, with the proxy and without it.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtWidgets import QApplication

from annotator.model.video.proxy import Proxy
from annotator.model.video.proxy_writer import make
from annotator.ui.watch.player import Player
from db.store import Store
from films import FILMS, LARGE, LONG_GROUP, Film
from watchers import Watcher

HEAVY = {"long group": LONG_GROUP, "4K": LARGE}
HEAVY_TIMES = 500


def measure(times: int = 10_000) -> dict[str, Any]:
    """Returns for every film: things done, pictures seen (drafts of the proxy among them), and those that were wrong."""
    app = QApplication.instance() or QApplication([])
    assert app is not None
    each = (times - len(HEAVY) * HEAVY_TIMES) // len(FILMS)
    plan = {name: (film, each) for name, film in FILMS.items()}
    plan |= {name: (film, HEAVY_TIMES) for name, film in HEAVY.items()}
    lines: dict[str, Any] = {}
    done = shown = drafts = wrong = 0
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name)) as store:
        for number, (title, (film, count)) in enumerate(plan.items()):
            watchers = [watch(store, film, part, number, with_proxy) for part, with_proxy in _halves(count)]
            seen = [sum(getattr(w, field) for w in watchers) for field in ("shown", "drafts")]
            bad = [pair for w in watchers for pair in w.wrong] + [text for w in watchers for text in w.complaints]
            lines[f"{title}: done, pictures, of them drafts, wrong"] = [count, *seen, len(bad)]
            if bad:
                lines[f"{title}: the first that were wrong"] = bad[:5]
            done, shown, drafts, wrong = done + count, shown + seen[0], drafts + seen[1], wrong + len(bad)
            print(f"   {title}: {count} done, {seen[0]} pictures, {len(bad)} wrong", flush=True)
    return lines | {"in all: done, pictures, of them drafts": [done, shown, drafts], "wrong": wrong}


def _halves(count: int) -> list[tuple[int, bool]]:
    return [(count // 2, False), (count - count // 2, True)]


def watch(store: Store, film: Film, times: int, seed: int, with_proxy: bool) -> Watcher:
    """Records a film, does things with a player of it, and returns who watched."""
    recording = store.recording(film.record(store))
    proxy = None
    if with_proxy:
        proxy = Proxy(store.cache_dir, recording)
        began = time.perf_counter()
        assert make(proxy, recording, store.root, 2**40)
        rate = len(recording.clock) / (time.perf_counter() - began)
        print(f"   its proxy was made at {rate:.0f} frames a second", flush=True)
    player = Player(recording.clock, recording.video, draft=proxy)
    watcher = Watcher(player, seed)
    try:
        player.seek(0)
        watcher.rest()
        watcher.do(times)
    finally:
        player.close()
    return watcher
