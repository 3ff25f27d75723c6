"""What an IDM expects a person to have done in a session, tick by tick: the trainer writes it, the annotator reads it.

A file is `cache/expected/<session>-r<revision>-<digest of the model's card>.npz`, arrays only, stored and not compressed:
what its name says is what it is of, and it goes with everything else that was made of the session. It holds the model's
probabilities and not how they disagree with anything, so that they serve for corrected actions as for recorded ones.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from db.clock import Int64
from db.errors import BadFile, from_os_error
from db.files import make_folder, replace_bytes
from db.recording.actions import Bools
from db.recording.surprise import Scale

FOLDER = "expected"
FORMAT = 1
_MAX_BYTES = 2**30
"""Of a file: more than a day of play."""
_MAX_NAME = 200

Halves = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Expectation:
    """T ticks of one session, K keys and buttons, and B bins for each mouse axis."""

    model: str
    """The IDM's id."""
    ticks: Int64
    """(T,): the frames that the IDM looked at, ascending from 0; tick i lasts until the frame of tick i + 1."""
    edges_ns: Int64
    """(T + 1,)."""
    codes: tuple[int, ...]
    probability: Halves
    """(T, K): that a key is active."""
    dx: Halves
    """(T, B): the probability of each bin of the motion to the right."""
    dy: Halves
    dx_edges: NDArray[np.float64]
    """(B - 1,) device counts, ascending."""
    dy_edges: NDArray[np.float64]
    dx_values: NDArray[np.float64]
    """(B,) the counts that stand for the bins."""
    dy_values: NDArray[np.float64]
    said: Bools
    """(T,): False where the IDM has not been asked yet, or must not look; probabilities mean nothing there."""
    scale: Scale | None
    """What is usual on play that the IDM was not trained on; None where nobody has measured that."""

    def __len__(self) -> int:
        return len(self.ticks)


def model_digest(card: Path) -> str:
    """16 hexadecimal digits over a model's card, which says when and on what it was trained. Raises BadFile."""
    try:
        return hashlib.sha256(card.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise from_os_error(error, card) from None


def expectation_path(cache_dir: Path, session_id: str, revision: int, digest: str) -> Path:
    return cache_dir / FOLDER / f"{session_id}-r{revision}-{digest}.npz"


def find_expectations(cache_dir: Path, session_id: str, revision: int) -> list[Path]:
    """What is kept of a session as it is now, the newest first."""
    found: list[tuple[int, Path]] = []
    for path in (cache_dir / FOLDER).glob(f"{session_id}-r{revision}-*.npz"):
        try:
            found.append((path.stat().st_mtime_ns, path))
        except OSError:  # it went meanwhile
            continue
    return [path for _, path in sorted(found, reverse=True)]


def write_expectation(path: Path, said: Expectation) -> None:
    """Whole or not at all. Raises DiskFull, StoreReadOnly."""
    scale = (said.scale.median, said.scale.high) if said.scale else (math.nan, math.nan)
    arrays: dict[str, NDArray[np.generic]] = {
        "format": np.asarray([FORMAT], np.int64),
        "model": np.frombuffer(said.model.encode(), np.uint8),
        "codes": np.asarray(said.codes, np.int64),
        "scale": np.asarray(scale, np.float64),
    }
    arrays |= {name: getattr(said, name) for name in _KINDS if name not in arrays}
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **arrays)
    try:
        make_folder(path.parent)
    except OSError as error:
        raise from_os_error(error, path.parent) from None
    replace_bytes(path, held.getvalue())


def read_expectation(path: Path, frame_count: int) -> Expectation:
    """frame_count: of the session that it is to be of. Raises BadFile where it is missing, damaged, or of another kind."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("it is too large")
        with zipfile.ZipFile(path) as archive:
            arrays = {name: _read_array(archive, name) for name in _KINDS}
        return _checked(arrays, frame_count)
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadFile(f"What an IDM expects in {path} cannot be read ({reason}); ask the IDM again.") from None


_KINDS = {
    "format": "i8", "model": "u1", "ticks": "i8", "edges_ns": "i8", "codes": "i8", "probability": "f2", "dx": "f2",
    "dy": "f2", "dx_edges": "f8", "dy_edges": "f8", "dx_values": "f8", "dy_values": "f8", "said": "b1", "scale": "f8",
}  # fmt: skip


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    """One array, nothing of which is believed before its length is: what it says of itself must fit what is there."""
    facts = archive.getinfo(f"{name}.npy")
    if facts.compress_type != zipfile.ZIP_STORED or facts.file_size > _MAX_BYTES:
        raise ValueError(f"{name} is packed")
    with archive.open(facts) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{name} is of another kind")
        shape, is_fortran, kind = np.lib.format.read_array_header_1_0(file)
        content = file.read()
    if is_fortran or kind != np.dtype(_KINDS[name]) or len(content) != math.prod(shape) * kind.itemsize:
        raise ValueError(f"{name} is of another kind")
    found = np.frombuffer(content, kind).reshape(shape).copy()
    return found.view(np.uint8) != 0 if kind == np.bool_ else found


def _checked(arrays: dict[str, NDArray[np.generic]], frame_count: int) -> Expectation:
    """Raises ValueError where these are not the arrays of one session of so many frames."""
    if arrays["format"].tolist() != [FORMAT]:
        raise ValueError("it is of another format")
    count, width = arrays["ticks"].size, arrays["codes"].size
    across, down = arrays["dx_values"].size, arrays["dy_values"].size
    shapes = {
        "ticks": (count,), "edges_ns": (count + 1,), "codes": (width,), "probability": (count, width), "said": (count,),
        "dx": (count, across), "dy": (count, down), "dx_edges": (across - 1,), "dy_edges": (down - 1,),
        "dx_values": (across,), "dy_values": (down,), "scale": (2,),
    }  # fmt: skip
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} is {arrays[name].shape}")
    name = bytes(arrays.pop("model").astype(np.uint8).reshape(-1)[:_MAX_NAME]).decode()
    ticks, codes = np.asarray(arrays["ticks"], np.int64), np.asarray(arrays.pop("codes"), np.int64).tolist()
    if not count or ticks[0] != 0 or ticks[-1] >= frame_count:
        raise ValueError("its ticks are of another session")
    for ascending in ("ticks", "edges_ns", "dx_edges", "dy_edges"):
        if not np.all(np.diff(arrays[ascending]) > 0):
            raise ValueError(f"{ascending} do not ascend")
    if len(set(codes)) != width or not all(0 < code <= 0x2FF for code in codes):
        raise ValueError("its keys are none")
    said = np.asarray(arrays["said"], np.bool_)
    for shares in ("probability", "dx", "dy"):
        told = np.asarray(arrays[shares], np.float32)[said]
        if not np.all((told >= 0) & (told <= 1)):
            raise ValueError(f"{shares} holds what is no probability")
    if not all(np.all(np.isfinite(np.asarray(arrays[axis], np.float64))) for axis in ("dx_values", "dy_values")):
        raise ValueError("a number is not finite")
    median, high = np.asarray(arrays.pop("scale"), np.float64).tolist()
    scale = Scale(median, high) if math.isfinite(median) and math.isfinite(high) and high >= median else None
    del arrays["format"]
    return Expectation(model=name, codes=tuple(codes), scale=scale, **arrays)  # type: ignore[arg-type]
