"""The only training-side reader of the store: each session once as pictures of model size, with its actions and masks.

The cache, `cache/clips/`, is one `.npy` a session, mapped and never loaded whole. Its name says what it holds (session,
revision, ClipSpec), it appears under that name only when it is complete, and it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import errno
import io
import math
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from db.errors import BadFile, DiskFull
from db.media.resize import resize
from db.recording.actions import ActionTrack
from db.recording.reader import Recording
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from trainer.data.dataset import describe, verify
from trainer.data.imputed import stored_track
from trainer.data.manifest import Item, Manifest, learnable, resolve_ticks, unmasked

DEFAULT_QUOTA_BYTES = 20 * 10**9
_STALE_S = 24 * 3600.0

Frames = NDArray[np.uint8]
Report = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and of how many."""
Tell = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


@dataclass(frozen=True, eq=False)
class Take:
    """One session at model size: T ticks, K keys of the dataset's action space."""

    item: Item
    frames: Frames
    """(T, H, W, 3) uint8, mapped from the cache."""
    ticks: NDArray[np.int64]
    """(T,): the recording's frame index of each."""
    edges_ns: NDArray[np.int64]
    """(T + 1,)."""
    keys: NDArray[np.bool_]
    """(T, K)."""
    motion: NDArray[np.float32]
    """(T, 2) device counts."""
    known: NDArray[np.bool_]
    """(T,): the rows that are learnt from and scored; the others are context."""
    watched: NDArray[np.bool_]
    """(T,): the rows whose inputs were recorded, whoever acted: what a model may be told was done."""
    actors: NDArray[np.uint8]
    """(T,): bits of everyone who acted."""
    text_ids: NDArray[np.int64]
    """(T,): the instruction in force, an index into `texts`; 0 is none."""
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ticks)


@dataclass(frozen=True, slots=True)
class Window:
    """Ticks [start, start + length) of one take, with at least one known row."""

    take: int
    start: int


def load_takes(
    store: Store,
    manifest: Manifest,
    items: Sequence[Item],
    *,
    report: Report | None = None,
    quota_bytes: int = DEFAULT_QUOTA_BYTES,
) -> list[Take]:
    """The takes of these items of the manifest, decoding those not cached yet.

    Raises BadFile where a session is not what was frozen, DiskFull.
    """
    verify(store, manifest, items)
    takes = []
    for done, item in enumerate(items):
        if report is not None:
            report("reading sessions", done, len(items))
        imputed = stored_track(store, manifest.id, item) if item.imputed is not None else None
        takes.append(_load(store, item, manifest.clip, manifest.space, imputed))
    _keep_to_quota(_folder(store), quota_bytes, {_name(item, manifest.clip) for item in items})
    return takes


def load_session(
    store: Store, session_id: str, clip: ClipSpec, space: ActionSpace, *, tell: Tell = lambda done, total: None
) -> Take:
    """Any session, accepted or not, as a model with this spec and action space sees it.

    tell: hears how many pictures of how many are decoded, where they are not cached; what it raises ends it.
    """
    return _load(store, describe(store, session_id, clip).item, clip, space, tell=tell)


def windows(takes: Sequence[Take], length: int, stride: int) -> list[Window]:
    """Windows every `stride` ticks over all takes, those without a known row skipped.

    A take shorter than `length` gives one window that starts at 0; its missing end is filled by `cut`.
    """
    found: list[Window] = []
    for number, take in enumerate(takes):
        for start in range(0, max(len(take) - length, 0) + stride, stride):
            start = max(0, min(start, len(take) - length))
            window = Window(number, start)
            if take.known[start : start + length].any() and (not found or found[-1] != window):
                found.append(window)
    return found


def cut(take: Take, start: int, length: int) -> dict[str, NDArray[np.generic]]:
    """Arrays of ticks [start, start + length); past the take's end the last picture repeats and nothing is known."""
    index = np.arange(start, start + length)
    inside = index < len(take)
    index = np.minimum(index, len(take) - 1)
    return {
        "frames": np.asarray(take.frames[index]),
        "keys": take.keys[index],
        "motion": take.motion[index],
        "known": take.known[index] & inside,
        "watched": take.watched[index] & inside,
        "text_ids": take.text_ids[index],
    }


def text_ids(item: Item, ticks: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The instruction in force at each tick: of those that cover its frame the one that started last, else none."""
    texts = ("", *sorted({stretch.text for stretch in item.instructions} - {""}))
    number = {text: i for i, text in enumerate(texts)}
    ids = np.zeros(len(ticks), np.int64)
    for stretch in sorted(item.instructions, key=lambda stretch: (stretch.start, stretch.stop)):
        ids[(ticks >= stretch.start) & (ticks < stretch.stop)] = number[stretch.text]
    return ids, texts


def decode(recording: Recording, clip: ClipSpec, target: Path, tell: Tell = lambda done, total: None) -> Frames:
    """Decodes the ticks of a recording into `target` (T, H, W, 3): first under another name, renamed when complete.

    tell: what it raises ends it, and nothing is left. Raises BadFile where the video lacks a frame or the cache cannot be
    written, DiskFull.
    """
    ticks = recording.clock.ticks(clip.rate_hz)
    width, height = clip.size_px
    shape = (len(ticks), height, width, 3)
    partial = target.with_name(f"{target.stem}.{uuid.uuid4().hex}.partial")
    reader = recording.video()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:  # not through a map: a full disk would kill the process there
            file.write(_header(shape))
            for done, (_, rgb) in enumerate(reader.read(ticks.tolist())):
                tell(done, len(ticks))
                file.write(resize(rgb, clip.size_px).tobytes())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull("The disk is full; free some room and start again, nothing is lost.") from None
        raise BadFile(f"The clip cache {target} cannot be written: {error.strerror}.") from None
    finally:
        reader.close()
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return _map(target, shape)


def _load(
    store: Store,
    item: Item,
    clip: ClipSpec,
    space: ActionSpace,
    imputed: ActionTrack | None = None,
    tell: Tell = lambda done, total: None,
) -> Take:
    """imputed: takes the place of what was recorded."""
    recording = store.recording(item.session_id)
    if imputed is None:
        ticks, track = resolve_ticks(recording, clip, item.corrections)
        known = learnable(track, recording)
    else:
        ticks, track, known = recording.clock.ticks(clip.rate_hz), imputed, imputed.known
    path = _folder(store) / _name(item, clip)
    width, height = clip.size_px
    try:
        frames = _map(path, (len(ticks), height, width, 3))
        os.utime(path)
    except (OSError, ValueError):
        try:
            frames = decode(recording, clip, path, tell)
        except BadFile as error:
            raise BadFile(f"Session {item.session_id} cannot be decoded: {error}") from None
    ids, texts = text_ids(item, ticks)
    return Take(
        item=item,
        frames=frames,
        ticks=ticks,
        edges_ns=track.edges_ns,
        keys=track.select(space.codes),
        motion=track.motion,
        known=unmasked(item.masked, ticks, known, len(recording.clock)),
        watched=track.known,
        actors=track.actors,
        text_ids=ids,
        texts=texts,
    )


def _map(path: Path, shape: tuple[int, ...]) -> Frames:
    """Raises OSError where there is no file, ValueError where it is not such an array, whole."""
    header = _header(shape)
    with path.open("rb") as file:  # compared and never interpreted: whoever can write here could write anything
        if file.read(len(header)) != header or path.stat().st_size != len(header) + math.prod(shape):
            raise ValueError(f"{path} holds something else")
        return np.memmap(file, np.uint8, "r", len(header), shape)


def _header(shape: tuple[int, ...]) -> bytes:
    """What NumPy's file of such an array of bytes begins with."""
    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(held, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return held.getvalue()


def _folder(store: Store) -> Path:
    return store.cache_dir / "clips"


def _name(item: Item, clip: ClipSpec) -> str:
    return f"{item.session_id}-r{item.revision}-{clip.digest()}.npy"


def _keep_to_quota(folder: Path, quota_bytes: int, needed: set[str]) -> None:
    """Deletes what was used longest ago, except what is needed now, and partial files that a dead process left."""
    now = max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
    for path in folder.glob("*.partial"):
        if now - path.stat().st_mtime > _STALE_S:
            path.unlink(missing_ok=True)
    files = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in files)
    for path in files:
        if total <= quota_bytes:
            return
        if path.name not in needed:
            total -= path.stat().st_size
            with contextlib.suppress(OSError):  # another process has it open on a system that forbids this
                path.unlink()
