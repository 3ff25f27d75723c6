"""The pictures of the report, drawn with matplotlib and Pillow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from db.labelling.labels import Edit
from db.recording import keys
from db.recording.reader import Recording

INK, FAINT, RECORDED, PREDICTED = "#1f2933", "#9aa5b1", "#2563eb", "#f59e0b"
mpl.rcParams.update(
    {
        "font.size": 9, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
        "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """One session as recorded and as an IDM sees it, per tick. keys (T, K); motion (T,) dx in counts."""

    seconds: NDArray[np.float64]
    frames: NDArray[np.int64]
    codes: tuple[int, ...]
    true_keys: NDArray[np.bool_]
    predicted_keys: NDArray[np.bool_]
    true_dx: NDArray[np.float32]
    predicted_dx: NDArray[np.float32]


def draw_timeline(
    recording: Recording, labels: Sequence[Edit], compared: Comparison, start_s: float, stop_s: float, path: Path
) -> None:
    """Frames above, then instructions, keys (recorded over predicted) and horizontal motion, for a stretch of seconds."""
    inside = np.flatnonzero((compared.seconds >= start_s) & (compared.seconds < stop_s))
    used = [
        k for k in range(len(compared.codes)) if compared.true_keys[:, k].any() or compared.predicted_keys[:, k].any()
    ]
    figure = Figure(figsize=(11, 4.6 + 0.34 * len(used)), layout="constrained")
    grid = figure.add_gridspec(4, 1, height_ratios=[1.55, 0.3, 0.34 * max(len(used), 1) + 0.2, 1.3])
    strip, texts, lanes, motion = (figure.add_subplot(grid[i]) for i in range(4))
    _draw_strip(strip, recording, compared.frames[inside], start_s, stop_s)
    _draw_texts(texts, recording, labels, start_s, stop_s)
    for row, k in enumerate(used):
        for shown, offset, colour in (
            (compared.true_keys, -0.32, RECORDED),
            (compared.predicted_keys, 0.04, PREDICTED),
        ):
            for first, last in _runs(shown[inside, k]):
                x0 = compared.seconds[inside[first]]
                x1 = compared.seconds[inside[last]] + 1 / 15
                lanes.broken_barh([(x0, x1 - x0)], (row + offset, 0.28), color=colour, linewidth=0)
    lanes.set_yticks(range(len(used)), [keys.label(compared.codes[k]) for k in used])
    lanes.set_ylim(len(used) - 0.4, -0.6)
    lanes.grid(axis="y", color="#e4e7eb", linewidth=0.6)
    motion.plot(compared.seconds[inside], compared.true_dx[inside], color=RECORDED, linewidth=1.4, label="recorded")
    motion.plot(
        compared.seconds[inside],
        compared.predicted_dx[inside],
        color=PREDICTED,
        linewidth=1.1,
        label="predicted by the IDM",
    )
    motion.set_ylabel("dx, counts")
    motion.set_xlabel("seconds")
    motion.legend(loc="upper right", frameon=False, ncols=2)
    for axis in (texts, lanes, motion):
        axis.set_xlim(start_s, stop_s)
    lanes.set_xticks([])
    figure.savefig(path)


def draw_curves(runs: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> None:
    """Training loss against steps, a panel a run; what was scored on the calibration split is dotted in."""
    figure = Figure(figsize=(11, 3.0), layout="constrained")
    for number, (name, rows) in enumerate(runs.items()):
        axis = figure.add_subplot(1, len(runs), number + 1)
        steps = [row["step"] for row in rows if "loss" in row]
        losses = [row["loss"] for row in rows if "loss" in row]
        axis.plot(steps, losses, color=RECORDED, linewidth=0.9, label="training loss")
        scored = [(row["step"], row["val_loss"]) for row in rows if row.get("val_loss") is not None]
        if scored:
            axis.plot(
                *zip(*scored, strict=True),
                "o-",
                color=PREDICTED,
                markersize=3,
                linewidth=1,
                label="loss on the calibration split",
            )
        axis.set_title(name, loc="left")
        axis.set_xlabel("step")
        axis.legend(frameon=False)
    figure.savefig(path)


def draw_intervals(intervals_ms: NDArray[np.float64], path: Path) -> None:
    """Histogram of frame intervals."""
    figure = Figure(figsize=(5.2, 2.4), layout="constrained")
    axis = figure.add_subplot()
    axis.hist(intervals_ms, bins=np.arange(0, max(70.0, float(intervals_ms.max()) + 1), 0.5), color=RECORDED)
    axis.set_yscale("log")
    axis.set_xlabel("time between frames, ms")
    axis.set_ylabel("frames")
    figure.savefig(path)


def draw_play(recording: Recording, instruction: str, path: Path, *, columns: int = 4, rows: int = 2) -> None:
    """Frames of played video, each with the keys that were down and the motion in it drawn over it."""
    track = recording.resolve()
    count = columns * rows
    wanted = np.unique(np.linspace(0.15 * len(track), 0.95 * len(track) - 1, count).astype(int)).tolist()
    reader = recording.video()
    try:
        tiles = [_caption(picture, track.codes, track.active[i], track.motion[i]) for i, picture in reader.read(wanted)]
    finally:
        reader.close()
    width, height = tiles[0].size
    sheet = Image.new("RGB", (columns * (width + 4) - 4, rows * (height + 4) - 4), "white")
    for number, tile in enumerate(tiles):
        sheet.paste(tile, ((number % columns) * (width + 4), (number // columns) * (height + 4)))
    sheet.save(path, optimize=True)


def _caption(
    picture: NDArray[np.uint8], codes: Sequence[int], active: NDArray[np.bool_], motion: NDArray[np.float32]
) -> Image.Image:
    tile = Image.fromarray(picture).resize((320, 240), Image.Resampling.BOX)
    pen = ImageDraw.Draw(tile, "RGBA")
    font = ImageFont.load_default(13)
    x = 6
    for code in np.array(codes)[active].tolist():
        text = keys.label(code)
        wide = pen.textlength(text, font=font) + 10
        pen.rounded_rectangle((x, 216, x + wide, 235), 4, fill=(245, 158, 11, 235))
        pen.text((x + 5, 218), text, fill="#1f2933", font=font)
        x += round(wide) + 4
    if abs(motion[0]) >= 1:
        reach = float(np.clip(motion[0] * 1.2, -120, 120))
        pen.line((160, 14, 160 + reach, 14), fill=(245, 158, 11, 255), width=4)
        tip = 160 + reach
        pen.polygon([(tip, 8), (tip, 20), (tip + (8 if reach > 0 else -8), 14)], fill=(245, 158, 11, 255))
    return tile


def _draw_strip(
    axis: object, recording: Recording, frames: NDArray[np.int64], start_s: float, stop_s: float, count: int = 8
) -> None:
    wanted = frames[np.linspace(0, len(frames) - 1, count).astype(int)]
    reader = recording.video()
    try:
        tiles = [
            np.asarray(Image.fromarray(p).resize((240, 180), Image.Resampling.BOX))
            for _, p in reader.read(wanted.tolist())
        ]
    finally:
        reader.close()
    axis.imshow(np.hstack(tiles), extent=(start_s, stop_s, 0, 1), aspect="auto")
    axis.set_axis_off()


def _draw_texts(axis: object, recording: Recording, labels: Sequence[Edit], start_s: float, stop_s: float) -> None:
    clock = recording.clock
    for edit in labels:
        x0 = (clock.t_ns[edit.start] - clock.t_ns[0]) / 1e9
        x1 = (clock.edges_ns[edit.stop] - clock.t_ns[0]) / 1e9
        if x1 <= start_s or x0 >= stop_s:
            continue
        x0, x1 = max(x0, start_s), min(x1, stop_s)
        axis.broken_barh([(x0, x1 - x0 - 0.02)], (0, 1), color="#dbeafe")
        if x1 - x0 > 0.08 * (stop_s - start_s):
            axis.text(x0 + 0.08, 0.46, edit.value, ha="left", va="center", clip_on=True)
    axis.set_ylim(0, 1)
    axis.set_axis_off()


def _runs(values: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, last) index of every run of True."""
    change = np.flatnonzero(np.diff(np.concatenate(([False], values, [False])).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(change[::2], change[1::2], strict=True)]
