"""Imputed actions beside a dataset's manifest: `datasets/<id>/imputed/<session>-<digest>.npz`, named for what they hold.

A file holds arrays only (no pickle): `edges_ns` (T + 1,), `codes` (K,), `held` (T, K), `motion` (T, 2), `known` (T,) and
`confidence` (T, K), the probability that what is said of a key is so.
"""

from __future__ import annotations

import errno
import hashlib
import uuid
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

import numpy as np

from db.clock import Int64
from db.errors import BadFile, DiskFull, StoreReadOnly
from db.recording.actions import ActionTrack, Bools, Floats
from db.recording.events import ActorKind
from db.specs import ClipSpec
from db.store import Store
from trainer.data.manifest import Item

FOLDER = "imputed"
DEFAULT_CONFIDENCE = 0.5
"""Of a tick's least sure key: below it, the model itself thinks that what it says is rather not so."""


class Imputes(Protocol):
    """What gives a session without inputs its actions."""

    @property
    def model(self) -> str:
        """The IDM's id."""

    @property
    def min_confidence(self) -> float:
        """Of a tick's least sure key."""

    def track(self, store: Store, session_id: str, clip: ClipSpec) -> ActionTrack:
        """The actions at the ticks of this clip. Raises BadArgument where the model does not fit the session."""


def make_track(
    edges_ns: Int64, codes: tuple[int, ...], held: Bools, motion: Floats, known: Bools, confidence: Floats, model: str
) -> ActionTrack:
    """An imputed track; a key that is down from the start was not pressed there, and nothing was scrolled."""
    before = np.zeros_like(held)
    before[1:] = held[:-1]
    before[:1] = held[:1]
    moved = (motion != 0).any(axis=1)
    return ActionTrack(
        edges_ns=edges_ns,
        codes=codes,
        held=held,
        tapped=np.zeros_like(held),
        presses=(held & ~before).astype(np.uint8),
        releases=(before & ~held).astype(np.uint8),
        motion=motion,
        scroll=np.zeros_like(motion),
        known=known,
        actors=np.where(held.any(axis=1) | moved, ActorKind.PERSON.bit, 0).astype(np.uint8),
        source=f"run:{model}",
        confidence=confidence,
    )


def resample(track: ActionTrack, edges_ns: Int64, min_confidence: float) -> ActionTrack:
    """The same actions between other edges, known where the least sure key is sure enough.

    Keys are those of the interval in which the new one's middle lies, motion is shared out over time. Between the same
    edges nothing changes.
    """
    assert track.confidence is not None
    motion, rows = track.motion, np.arange(len(track))
    if not np.array_equal(edges_ns, track.edges_ns):
        middle = edges_ns[:-1] + np.diff(edges_ns) // 2
        rows = np.clip(np.searchsorted(track.edges_ns, middle, "right") - 1, 0, len(track) - 1)
        sums = np.concatenate([np.zeros((1, 2)), np.cumsum(track.motion, axis=0, dtype=np.float64)])
        since = (track.edges_ns - track.edges_ns[0]).astype(np.float64)
        wanted = (edges_ns - track.edges_ns[0]).astype(np.float64)
        reached = np.stack([np.interp(wanted, since, sums[:, axis]) for axis in range(2)], axis=1)
        motion = np.diff(reached, axis=0).astype(np.float32)
    confidence = track.confidence[rows]
    sure = confidence.min(axis=1, initial=1.0) >= min_confidence
    model = track.source.removeprefix("run:")
    return make_track(edges_ns, track.codes, track.held[rows], motion, track.known[rows] & sure, confidence, model)


def digest_of(track: ActionTrack) -> str:
    """SHA-256 over the actions and how sure they are."""
    assert track.confidence is not None
    return hashlib.sha256(track.digest().encode() + np.ascontiguousarray(track.confidence).tobytes()).hexdigest()


def write_track(path: Path, track: ActionTrack) -> None:
    """Writes it whole or not at all. Raises DiskFull, StoreReadOnly."""
    assert track.confidence is not None
    fresh = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.partial")
    arrays = {
        "edges_ns": track.edges_ns,
        "codes": np.asarray(track.codes, np.int64),
        "held": track.held,
        "motion": track.motion,
        "known": track.known,
        "confidence": track.confidence,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise DiskFull("The disk is full; free some room and start again, nothing is lost.") from None
        raise StoreReadOnly(f"{path} cannot be written: {error.strerror}.") from None


def read_track(path: Path, model: str) -> ActionTrack:
    """Raises BadFile where it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in ("edges_ns", "codes", "held", "motion", "known", "confidence")}
        _check(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadFile(f"The imputed actions in {path} cannot be read ({error}); freeze the dataset again.") from None
    codes = tuple(arrays.pop("codes").tolist())
    return make_track(codes=codes, model=model, **arrays)


def track_path(store: Store, dataset_id: str, session_id: str, digest: str) -> Path:
    return store.datasets_dir / dataset_id / FOLDER / f"{session_id}-{digest[:16]}.npz"


def stored_track(store: Store, dataset_id: str, item: Item) -> ActionTrack:
    """The imputed actions of an item. Raises BadFile where they are missing, damaged, or not those that were frozen."""
    assert item.imputed is not None
    path = track_path(store, dataset_id, item.session_id, item.imputed.track)
    track = read_track(path, item.imputed.model)
    if digest_of(track) != item.imputed.track or track.digest() != item.actions_digest:
        raise BadFile(f"The imputed actions in {path} were changed; freeze the dataset again.")
    return track


_KINDS = {"edges_ns": "i8", "codes": "i8", "held": "b1", "motion": "f4", "known": "b1", "confidence": "f4"}


def _check(arrays: dict[str, np.ndarray]) -> None:
    """Raises ValueError where these are not the arrays of one track."""
    count, width = len(arrays["known"]), arrays["codes"].size
    shapes = {
        "edges_ns": (count + 1,), "codes": (width,), "held": (count, width), "motion": (count, 2), "known": (count,),
        "confidence": (count, width),
    }  # fmt: skip
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype != np.dtype(_KINDS[name]):
            raise ValueError(f"{name} is {array.shape} {array.dtype}")
    if count < 1 or np.any(np.diff(arrays["edges_ns"]) <= 0):
        raise ValueError("its times do not ascend")
