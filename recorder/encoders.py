"""Which encoder records: what opens on this machine, what it sustains, and what comes next when one fails.

Encoders are probed by opening them and giving them a picture, never by their names. Hardware comes first, since it takes
nothing from the game; then libx264 with the slowest preset (the smallest files) that stays within `ENCODER_SHARE`.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from platformdirs import user_cache_path

from db.errors import EncoderFailed, PlaytapeError, from_os_error
from db.files import make_folder, replace_text
from db.media.resize import Picture
from db.media.video import VideoWriter
from db.specs import CaptureSpec, SizePx

HARDWARE = ("h264_nvenc", "h264_qsv", "h264_amf")
SOFTWARE = "libx264"
PRESETS = ("ultrafast", "superfast", "veryfast", "faster")
"""Of x264, from the cheapest on; each next one makes smaller files of the same quality."""
ENCODER_SHARE = 0.5
"""Of one core: the most that encoding may take, colour conversion and file included. The rest is the game's."""
TRIAL_S = 2.0
"""What a whole trial takes at most."""
LAST_RESORT = CaptureSpec()
"""libx264 at its fastest: it needs no device and no driver."""

_MARGIN = 1.25
"""By how much a trial on an idle machine is cheaper than the same beside a game, which takes the caches too."""
_WARM_FRAMES = 2
_MIN_FRAMES = 6
_MAX_FRAMES = 60
_BANDS = 16
_STEP_PX = 3
_NOISE = 7
"""In a trial the picture is cut into bands that slide at their own speeds under faint noise, since one that stands still,
or moves as a whole, is far cheaper to encode than play.
"""


class Selection(NamedTuple):
    """What to record with, and one sentence that says why."""

    capture: CaptureSpec
    sentence: str


@dataclass(frozen=True)
class Probe:
    """One encoder on this machine. `reason` says why it does not open; empty where it does."""

    codec: str
    opens: bool
    reason: str = ""


@dataclass(frozen=True)
class Trial:
    """What an encoder took for one frame, on average: seconds of processor time, and of waiting altogether."""

    cpu_s: float
    wall_s: float


def probe(size_px: SizePx, spec: CaptureSpec) -> list[Probe]:
    """Opens every candidate for pictures of `size_px` at `spec`, hardware first, and has it encode one at once."""
    return [_probe(codec, size_px, spec) for codec in (*HARDWARE, SOFTWARE)]


def choose(
    size_px: SizePx, spec: CaptureSpec, sample_frames: Sequence[Picture], *, memory: Path | None = None
) -> Selection:
    """The encoder for `size_px` (width, height) at `spec.rate_hz`: `spec` with another codec and preset.

    sample_frames: one or more (H, W, 4) uint8 BGRA pictures of the game. The trial's outcome is kept in `memory` (default: a
    file in the platform's cache folder) for this machine, size, rate and quality, and is not repeated. Raises
    EncoderFailed where none opens.
    """
    probes = probe(size_px, spec)
    opened = [found.codec for found in probes if found.opens]
    if not opened:
        raise EncoderFailed(f"No encoder opens at {size_px[0]}x{size_px[1]}: {probes[-1].reason}")
    path = memory or _default_memory()
    key = _key(size_px, spec, opened)
    known = _recall(path)
    choice = known.get(key)
    if choice is None:
        choice = _try_all(size_px, spec, sample_frames, opened)
        _remember(path, known | {key: choice})
    capture = spec.model_copy(update={"codec": choice["codec"], "preset": choice["preset"]})
    return Selection(capture, _describe(capture, size_px, float(choice["share"]), len(opened) > 1))


def forget(*, memory: Path | None = None) -> None:
    """Forgets the outcome of every trial, so that the next `choose` tries anew. Raises StoreReadOnly."""
    path = memory or _default_memory()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise from_os_error(error, path) from None


def fallback(spec: CaptureSpec) -> CaptureSpec | None:
    """What to go on with after `spec`'s encoder has failed; None where there is nothing simpler."""
    if (spec.codec, spec.preset) == (LAST_RESORT.codec, LAST_RESORT.preset):
        return None
    return spec.model_copy(update={"codec": LAST_RESORT.codec, "preset": LAST_RESORT.preset})


def attempt(
    size_px: SizePx, spec: CaptureSpec, sample_frames: Sequence[Picture], seconds: float = 0.8 * TRIAL_S / len(PRESETS)
) -> Trial:
    """Encodes the samples, moved about, into a file that is thrown away, for about so long. Raises EncoderFailed.

    Processor time is this thread's, in which x264 works too (with one thread); other programs do not add to it.
    """
    period_ns = int(1e9 / spec.rate_hz)
    cpu_s, wall_s = [], []
    with tempfile.TemporaryDirectory(prefix="playtape-") as folder:
        writer = VideoWriter(Path(folder), size_px, spec)
        try:
            noise = np.random.default_rng(0).integers(0, _NOISE + 1, sample_frames[0].shape, dtype=np.uint8)
            end_s = time.monotonic() + seconds
            for i in range(_MAX_FRAMES):
                if time.monotonic() > end_s and i >= _MIN_FRAMES:
                    break
                picture = _move(sample_frames[i % len(sample_frames)], i) ^ np.roll(noise, i * 8, axis=0)
                start = time.thread_time(), time.monotonic()
                writer.write(picture, i * period_ns, (i + 1) * period_ns)
                cpu_s.append(time.thread_time() - start[0])
                wall_s.append(time.monotonic() - start[1])
        finally:
            writer.close()
    return Trial(float(np.mean(cpu_s[_WARM_FRAMES:])), float(np.median(wall_s[_WARM_FRAMES:])))


def _move(picture: Picture, step: int) -> Picture:
    bands = np.array_split(picture, _BANDS)
    return np.concatenate([np.roll(band, step * _STEP_PX * (1 + i % 5), axis=1) for i, band in enumerate(bands)])


def _probe(codec: str, size_px: SizePx, spec: CaptureSpec) -> Probe:
    wanted = spec.model_copy(update={"codec": codec, "preset": PRESETS[0]})
    black = np.zeros((size_px[1], size_px[0], 4), np.uint8)
    with tempfile.TemporaryDirectory(prefix="playtape-") as folder:
        try:
            writer = VideoWriter(Path(folder), size_px, wanted)
            try:
                writer.write(black, 0, 1)
            finally:
                writer.close()
        except EncoderFailed as error:
            return Probe(codec, False, str(error))
    return Probe(codec, True)


def _try_all(size_px: SizePx, spec: CaptureSpec, samples: Sequence[Picture], opened: list[str]) -> dict[str, Any]:
    """The first encoder in hardware that keeps up, else the slowest x264 preset that does."""
    for codec in opened:
        if codec == SOFTWARE:
            continue
        wanted = spec.model_copy(update={"codec": codec, "preset": PRESETS[0]})
        with suppress(EncoderFailed):
            trial = attempt(size_px, wanted, samples)
            share = _MARGIN * trial.cpu_s * spec.rate_hz
            if trial.wall_s < 0.5 / spec.rate_hz and share <= ENCODER_SHARE:
                return {"codec": codec, "preset": wanted.preset, "share": share}
    best: dict[str, Any] = {}
    for preset in PRESETS:
        wanted = spec.model_copy(update={"codec": SOFTWARE, "preset": preset})
        share = _MARGIN * attempt(size_px, wanted, samples).cpu_s * spec.rate_hz
        if best and share > ENCODER_SHARE:
            break
        best = {"codec": SOFTWARE, "preset": preset, "share": share}
        if share > ENCODER_SHARE:  # already the fastest takes more than it should
            break
    return best


def _describe(capture: CaptureSpec, size_px: SizePx, share: float, hardware_opens: bool) -> str:
    what = f"{size_px[0]}x{size_px[1]} at {capture.rate_hz:g} frames a second"
    if capture.codec != SOFTWARE:
        return f"{capture.codec} encodes {what} in hardware, with about {share:.0%} of one core."
    if share > ENCODER_SHARE:
        return (
            f"x264 at its fastest takes about {share:.0%} of one core for {what}, more than the {ENCODER_SHARE:.0%} that leaves the "
            "game its room; record fewer frames a second or a smaller window."
        )
    others = "the encoder in hardware does not keep up" if hardware_opens else "no encoder in hardware opens here"
    return f"x264 ({capture.preset}) encodes {what} with about {share:.0%} of one core (limit {ENCODER_SHARE:.0%}); {others}."


def _key(size_px: SizePx, spec: CaptureSpec, opened: list[str]) -> str:
    """Names the machine, what opens on it, and the task. The machine is only named by a digest."""
    facts = (platform.node(), platform.machine(), platform.processor(), os.cpu_count(), av.__version__)
    machine = hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
    return f"{machine} {'+'.join(opened)} {size_px[0]}x{size_px[1]} {spec.rate_hz:g} Hz crf {spec.crf}"


def _default_memory() -> Path:
    return user_cache_path("playtape", appauthor=False) / "encoders.json"


def _recall(path: Path) -> dict[str, dict[str, Any]]:
    """What trials found before; whatever cannot be read counts as never tried."""
    with suppress(OSError, ValueError):
        rows = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(rows, dict):
            return {key: row for key, row in rows.items() if _is_choice(row)}
    return {}


def _is_choice(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and row.get("codec") in (*HARDWARE, SOFTWARE)
        and row.get("preset") in PRESETS
        and isinstance(row.get("share"), int | float)
    )


def _remember(path: Path, rows: dict[str, dict[str, Any]]) -> None:
    with suppress(OSError, PlaytapeError):  # a machine without a cache tries again each time
        make_folder(path.parent)
        replace_text(path, json.dumps(rows, indent=1) + "\n")
