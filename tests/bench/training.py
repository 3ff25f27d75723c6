"""Pictures for training: how fast clips come, and whether a model ever waits for them."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from db.labelling.labels import Edit, LabelKind, Review
from db.media.resize import resize
from db.specs import CaptureSpec, ClipSpec
from db.store import Store
from recordings import Take as Recorded
from recordings import record
from trainer.configs import clip_named, named_config
from trainer.data.batches import Sampler
from trainer.data.clips import Take, cut, load_takes, windows
from trainer.data.dataset import freeze
from trainer.data.manifest import Manifest
from trainer.data.prefetch import Prefetch
from trainer.training.allocator import keep_freed_memory
from trainer.training.loop import Data, load_data, new_learner, new_sampler
from trainer.training.runs import new_run

SIZE_PX, SESSIONS, FRAMES = (640, 360), 4, 900
_STEPS, _WARM = 10, 5


def measure() -> dict[str, Any]:
    """Two minutes at 640x360 and 30 Hz, written by the real writers; the quick configurations learn from them."""
    found: dict[str, Any] = {}
    keep_freed_memory()  # as every run does
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name)) as store:
        _fill(store)
        clip = clip_named("quick")
        manifest = freeze(store, clip=clip)
        cold_s = _time(lambda: load_takes(store, manifest, manifest.items))
        takes = load_takes(store, manifest, manifest.items)
        ticks = sum(map(len, takes))
        plain = _plain_clips(store, manifest, clip)
        warm = _cached_clips(takes)
        found |= {
            "random 16-frame clips by plain PyAV, frames a second (reference)": round(plain),
            "cold, decoding each session once, frames a second": round(ticks / cold_s),
            "cold, ratio": round(ticks / cold_s / plain, 1),
            "warm, random 16-frame clips from the cache, frames a second": round(warm),
            "warm, ratio": round(warm / plain, 1),
        }
        data = load_data(store, manifest, new_run(store, "idm"), lambda row: None)
        for kind in ("idm", "policy"):
            found |= _steps(data, kind)
    found["peak memory, MiB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def _fill(store: Store) -> None:
    dice = np.random.default_rng(0)
    texture = dice.integers(0, 255, (SIZE_PX[1] // 4, SIZE_PX[0] // 2, 4), dtype=np.uint8).repeat(4, 0).repeat(4, 1)

    def draw(number: int) -> np.ndarray:
        return np.ascontiguousarray(np.roll(texture, -3 * number, axis=1)[:, : SIZE_PX[0]])

    for number in range(SESSIONS):
        take = Recorded(count=FRAMES, size_px=SIZE_PX, picture=draw, capture=CaptureSpec(), group_id=f"g{number}")
        session_id = record(store, take)
        span = {"kind": LabelKind.INSTRUCTION, "start": 0, "stop": FRAMES, "value": "go", "author": "ann"}
        store.commit([Edit.model_validate({"session_id": session_id, **span})])
        store.set_review(session_id, Review.ACCEPTED, "ann")


def _plain_clips(store: Store, manifest: Manifest, clip: ClipSpec, count: int = 12) -> float:
    """Frames a second of what one would write by hand: open, seek, decode 16 frames, resize."""
    dice = np.random.default_rng(1)
    began = time.perf_counter()
    for _ in range(count):
        folder = store.session_folder(manifest.items[int(dice.integers(len(manifest.items)))].session_id)
        start = int(dice.integers(0, FRAMES - 40))
        with av.open(str(folder / "video-000.mkv")) as container:
            stream = container.streams.video[0]
            container.seek(int(start / 30 * 1000), stream=stream, backward=True)
            got = 0
            for frame in container.decode(stream):
                if frame.pts >= start / 30 * 1000:
                    resize(frame.to_ndarray(format="rgb24"), clip.size_px)
                    got += 1
                    if got == 16:
                        break
    return count * 16 / (time.perf_counter() - began)


def _cached_clips(takes: list[Take], count: int = 400) -> float:
    dice = np.random.default_rng(2)
    found = windows(takes, 16, 4)
    began = time.perf_counter()
    for _ in range(count):
        window = found[int(dice.integers(len(found)))]
        cut(takes[window.take], window.start, 16)
    return count * 16 / (time.perf_counter() - began)


def _steps(data: Data, kind: str) -> dict[str, Any]:
    """Steps a second with the loader, and with one batch that is there already."""
    config = named_config(kind, "quick")  # type: ignore[arg-type]
    device = torch.device("cpu")
    learner = new_learner(data, config, "float32", 0, 1000, device)
    sampler = new_sampler(data, config, 0, device)
    fixed = sampler.batch(0)
    rates: dict[str, list[float]] = {"fixed": [], "loaded": []}
    for _ in range(3):
        rates["fixed"].append(_rate(lambda: [learner.step(i, fixed) for i in range(_STEPS)]))
        rates["loaded"].append(_rate(lambda: _learn(learner.step, sampler)))
    fixed_hz, loaded_hz = (float(np.median(rates[name])) for name in ("fixed", "loaded"))
    return {
        f"{kind}: steps a second on one batch (reference)": round(fixed_hz, 2),
        f"{kind}: steps a second with the loader, share": round(loaded_hz / fixed_hz, 3),
    }


def _learn(step: Callable[[int, Any], float], sampler: Sampler) -> None:
    with Prefetch(sampler, _WARM, _WARM + _STEPS) as batches:
        for number, batch in enumerate(batches):
            step(number, batch)


def _rate(work: Callable[[], object]) -> float:
    return _STEPS / _time(work)


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
