"""The plots of a page, as SVG to stand inside it: their colours are the page's, so that one drawing serves dark and light.

What is drawn are figures, names of keys and ids of models, escaped; games and instructions stand in the page's tables.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from trainer.cards.tables import key_label

_INK, _SOFT, _GRID = "#0a0b00", "#0a0b01", "#0a0b02"
_SERIES = tuple(f"#0a0b{number}" for number in range(10, 18))
"""Stand for the page's `--c00`, `--c01` ...; matplotlib writes them out and `_inline` names the variables instead."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "text.parse_math": False,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "axes.titlesize": 9.5,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
_HEAT = LinearSegmentedColormap.from_list("heat", [(0.25, 0.5, 0.95, 0.12), (0.25, 0.5, 0.95, 1.0)])
_APART = (0, 2, 3, 4, 5, 6, 7, 1)
"""The order in which lines take colours, so that few lines have unlike ones."""
_plain = FuncFormatter(lambda value, _: f"{value:g}")

Panel = tuple[str, Mapping[str, float | None]]
"""A title, and a figure for each of those that are compared."""


def draw_bars(panels: Sequence[Panel], own: Sequence[str], *, columns: int = 3, caption: str = "figures") -> str:
    """Small multiples of horizontal bars, those named in `own` in the page's first colour.

    A missing figure says so; a panel without any figure but 0 is left out.
    """
    panels = [(title, values) for title, values in panels if any(values.values())]
    if not panels:
        return ""
    who = list(panels[0][1])
    rows = -(-len(panels) // columns)
    with matplotlib.rc_context(_STYLE):
        figure = _figure(9.2, rows * (0.75 + 0.22 * len(who)))
        for number, (title, values) in enumerate(panels):
            axes = figure.add_subplot(rows, columns, number + 1)
            _bars(axes, title, values, own, is_named=number % columns == 0)
        return _inline(figure, caption)


def draw_precision_recall(curves: Mapping[str, Mapping[str, Sequence[float]]], ap: Mapping[str, float | None]) -> str:
    """One line a key, at most eight: those whose average precision is lowest, since they are what has to be looked at."""
    shown = sorted((code for code in curves if curves[code]["recall"]), key=lambda code: ap[code] or 0.0)[: len(_APART)]
    with matplotlib.rc_context(_STYLE):
        figure = _figure(4.5, 3.5)
        axes = figure.add_subplot()
        for code, number in zip(reversed(shown), _APART, strict=False):
            curve, colour = curves[code], _SERIES[number]
            recall, precision = [0.0, *curve["recall"]], [curve["precision"][0], *curve["precision"]]
            axes.step(recall, precision, where="post", color=colour, label=f"{key_label(code)} ({ap[code]:.2f})")
        axes.set(xlim=(-0.01, 1.01), ylim=(0, 1.03), xlabel="recall", ylabel="precision")
        if shown:
            axes.legend(loc="lower left", fontsize=8, title="key (average precision)", title_fontsize=8, ncols=2)
        return _inline(figure, "precision against recall of each key")


def draw_reliability(found: Mapping[str, Any]) -> str:
    """What came true of what was said, over how often it was said; empty where nothing was."""
    if not any(found["counts"]):
        return ""
    counts = found["counts"]
    edges = np.linspace(0, 1, len(counts) + 1)
    pairs = [(s, c) for s, c in zip(found["said"], found["came"], strict=True) if s is not None]
    with matplotlib.rc_context(_STYLE):
        figure = _figure(4.5, 3.5)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], color=_SOFT, linewidth=1, linestyle="--")
        above.plot(*zip(*pairs, strict=True), color=_SERIES[0], marker="o", markersize=4)
        above.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02), ylabel="really pressed")
        below.bar(edges[:-1], counts, width=np.diff(edges) * 0.92, align="edge", color=_SERIES[0])
        below.set(yscale="log", xlabel="probability said, all keys", ylabel="counted")
        below.yaxis.set_major_formatter(_plain)
        below.yaxis.set_minor_formatter(NullFormatter())
        return _inline(figure, "how often a key was pressed, by the probability that was said of it")


def draw_onsets(found: Mapping[str, Any]) -> str:
    """How late presses are said, and how many are missed or made up."""
    offsets = {int(offset): count for offset, count in found["offsets"].items()}
    order = sorted(offsets)
    labels = [f"{offset:+d}" if offset else "0" for offset in order]
    with matplotlib.rc_context(_STYLE):
        figure = _figure(4.5, 2.9)
        axes = figure.add_subplot()
        places = [*range(len(order)), len(order) + 0.6, len(order) + 2.2]
        heights = [*(offsets[offset] for offset in order), found["missed"], found["extra"]]
        colours = [_SERIES[0] if offset == 0 else _SERIES[1] for offset in order] + [_SERIES[2], _SERIES[3]]
        axes.bar(places, heights, color=colours, width=0.8)
        for place, height in zip(places, heights, strict=True):
            axes.annotate(str(height), (place, height), (0, 2), textcoords="offset points", ha="center", fontsize=7.5)
        axes.set_xticks(places, [*labels, "missed", "extra"], fontsize=8)
        axes.grid(visible=False, axis="x")
        axes.set(xlabel="frames late (+) or early (-)", ylabel="presses", ylim=(0, max([1, *heights]) * 1.12))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        return _inline(figure, "by how many frames presses are late or early")


def draw_mouse(axis: str, found: Mapping[str, Any], r2: float | None) -> str:
    """Predicted against true motion, a square darker the more rows fall into it; empty where nothing ever moved."""
    if not found["counts"]:
        return ""
    limit, counts = found["limit"], np.asarray(found["counts"], float)
    with matplotlib.rc_context(_STYLE):
        figure = _figure(4.5, 3.6)
        axes = figure.add_subplot()
        shown = np.ma.masked_less(counts.T, 1)
        extent = (-limit, limit, -limit, limit)
        norm = LogNorm(1, max(2.0, counts.max()))
        picture = axes.imshow(shown, origin="lower", extent=extent, cmap=_HEAT, norm=norm, interpolation="nearest")
        axes.plot([-limit, limit], [-limit, limit], color=_SOFT, linewidth=1, linestyle="--")
        title = f"{axis}: R² " + ("cannot be told" if r2 is None else f"{r2:.3f}")
        axes.set(xlabel=f"true {axis}, device counts", ylabel="predicted", title=title)
        bar = figure.colorbar(picture, ax=axes, label="frames", shrink=0.85, format=_plain)
        bar.ax.yaxis.set_minor_formatter(NullFormatter())
        bar.outline.set_visible(False)
        return _inline(figure, f"predicted against true {axis}")


def draw_training(losses: Sequence[tuple[int, float]], merits: Sequence[tuple[int, float]], best_step: int) -> str:
    """The loss of the batches, and beside it what the best step was chosen by."""
    with matplotlib.rc_context(_STYLE):
        figure = _figure(9.2, 2.5)
        panels = [(losses, "training loss"), (merits, "merit on the calibration split")]
        panels = [(rows, title) for rows, title in panels if rows]
        for number, (rows, title) in enumerate(panels):
            axes = figure.add_subplot(1, len(panels), number + 1)
            marker = "o" if len(rows) < 30 else ""
            axes.plot(*zip(*rows, strict=True), color=_SERIES[number], marker=marker, markersize=3)
            axes.axvline(best_step, color=_SOFT, linewidth=1, linestyle="--")
            axes.set(title=title, xlabel="step")
        return _inline(figure, "training loss and merit by step")


def _bars(axes: Axes, title: str, values: Mapping[str, float | None], own: Sequence[str], *, is_named: bool) -> None:
    names = list(values)
    places = np.arange(len(names))[::-1]
    known = [value if value is not None else 0.0 for value in values.values()]
    low, high = min(0.0, *known), max(0.0, *known)
    low = max(low, -1.0)  # an R² far below 0 is as bad as one a little below, and would flatten all others
    span = max(high - low, 1e-9)
    colours = [_SERIES[0] if name in own else _SOFT for name in names]
    axes.barh(places, np.clip(known, low, None), color=colours, height=0.66)
    for place, value in zip(places, values.values(), strict=True):
        text = "cannot be told" if value is None else f"{value:.3f}"
        at = max(0.0, value or 0.0)
        axes.annotate(text, (at, place), (3, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(places, names if is_named else [""] * len(names))
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set(title=title, xlim=(low - 0.02 * span, high + 0.28 * span), ylim=(-0.6, len(names) - 0.4))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))


def _figure(width_in: float, height_in: float) -> Figure:
    figure = Figure(figsize=(width_in, height_in), layout="constrained", facecolor="none")
    FigureCanvasSVG(figure)
    return figure


def _inline(figure: Figure, caption: str) -> str:
    """The figure as an <svg> element that takes its colours and its font from the page, and names no ids twice."""
    for axes in figure.axes:
        axes.set_facecolor("none")
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": caption}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the page's fonts write the text, not those here
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"#0a0b(\d\d)", r"var(--c\1)", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    return text.replace("<svg ", f'<svg role="img" aria-label="{caption}" ', 1)
