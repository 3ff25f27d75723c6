"""The annotator on a session of an hour at 1080p, with 50,000 events and 2,000 labels: how soon it is there, how long a
paint takes, how long the window ever stands still, and how soon a frame is shown."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import av
from PyQt6.QtCore import QPoint, QPointF, QSettings, Qt
from PyQt6.QtGui import QPainter, QPixmap, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.model.edits.suggesting import suggestions
from annotator.model.library.seat import LABELLING, Seat
from annotator.model.timeline.axis import Axis
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.editing import Editing
from annotator.ui.desktop import settle
from annotator.ui.theme import dress
from annotator.ui.timeline.rows import header_px
from bench.deeds import COMPARING, Amount, record_imputed, record_read_twice
from bench.longsession import Length, record_long
from db.labelling.labels import LabelKind
from db.store import Store
from heartbeat import Heartbeat, repeat, run_for, run_until

ZOOMS = (1, 4, 16, 64, 256, 4096)
Time = tuple[float, float]
"""Milliseconds that something took, and that this thread worked at it."""
SMALL_PX = (320, 180)
SHORT = Length(frames=3000, events=2000, spans=50)


def measure(length: Length | None = None) -> dict[str, Any]:
    """Milliseconds: [median, 95th percentile] of a time, [longest pause, longest work] of the GUI's thread."""
    length = length or Length()
    with tempfile.TemporaryDirectory() as folder, _settings(folder), Store.open(Path(folder) / "library") as store:
        before = time.perf_counter()
        long, short = record_long(store, length), record_long(store, SHORT, seed=4)
        like_it, amount = record_long(store, length, seed=9), Amount()
        small = Length(length.frames, length.events, length.spans, SMALL_PX)
        imputed, read_twice = record_imputed(store, small, amount), record_read_twice(store, small, amount)
        rows: dict[str, Any] = {
            "frames, events, labels": [length.frames, length.events, length.spans],
            "recorded in, s": round(time.perf_counter() - before, 1),
        }
        app = QApplication.instance() or QApplication(["bench"])
        assert isinstance(app, QApplication)
        dress(app)
        window = AnnotateWindow(store, "ann")
        window.resize(1280, 800)
        window.show()
        run_for(1.0)
        settle()
        try:
            rows |= _opening(window, long, short, like_it) | _painting(window) | _frames(window)
            rows |= _standing_still(window) | _deeds(window, imputed, read_twice)
        finally:
            window.close()
            run_for(0.2)
        return rows


@contextmanager
def _settings(folder: str) -> Iterator[None]:
    """Nobody's own settings are read or written."""
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, folder)
    yield


def _opening(window: AnnotateWindow, long: str, short: str, like_it: str) -> dict[str, Any]:
    times_ms, pauses, changes = [], [], []
    with Heartbeat() as idle:
        run_for(1.0)
    for _ in range(5):
        _open(window, short)
        with Heartbeat() as heart:
            times_ms.append(_open(window, long) * 1000)
            run_for(0.3)
        pauses.append(heart)
    with Heartbeat() as switching:
        repeat(lambda: window.go(1 if random.random() < 0.5 else -1), 20, every_ms=120)
        run_for(0.5)
    for session_id in (long, like_it, long, like_it, long):
        with Heartbeat() as heart:
            _open(window, session_id)
            run_for(0.3)
        changes.append(heart)
    return {
        "reference: nothing done, stands still": _pause(idle),
        "open to first frame": _spread(times_ms),
        "open, stands still": _longest(pauses),
        "from one hour to another, stands still": _longest(changes[1:]),
        "switch sessions, stands still": _pause(switching),
    }


def _open(window: AnnotateWindow, session_id: str, seat: Seat = LABELLING) -> float:
    """Seconds until its first frame is in the picture."""
    if window.editing is not None and window.editing.session_id == session_id:
        return 0.0
    before = time.perf_counter()
    window.open_session(session_id, seat)
    run_until(
        lambda: window.editing is not None and window.editing.session_id == session_id and window.picture.index == 0
    )
    return time.perf_counter() - before


def _painting(window: AnnotateWindow) -> dict[str, Any]:
    """Every paint is of a view that was not shown before; then of the same view with the playhead elsewhere.

    After median and 95th percentile of the time come those of what the thread itself computed: on a machine that others
    use too, only these say what a paint costs.
    """
    timeline, rows = window.timeline, {}
    all_times: list[Time] = []
    picture = QPixmap(timeline.viewport().size())
    picture.fill(Qt.GlobalColor.darkGray)
    target = QPixmap(picture.size())

    def reference() -> None:
        painter = QPainter(target)
        painter.drawPixmap(0, 0, picture)
        painter.end()

    def paint() -> None:
        timeline.viewport().repaint()
        timeline.strip.repaint()

    rows["reference: copy a picture of the timeline's size"] = _spreads(_timed(reference, 40))
    whole = Axis.whole(timeline.axis.frame_count, timeline.axis.width_px)
    for zoom in ZOOMS:
        timeline.set_axis(whole.zoomed(zoom, whole.width_px * 0.4))
        run_for(0.2)
        times: list[Time] = []
        for step in range(30):
            timeline.set_axis(
                timeline.axis.zoomed(1.01 if step % 2 else 1 / 1.013, 300).panned(timeline.axis.span / 50)
            )
            times += _timed(paint, 1)
        rows[f"paint, new view, zoom {zoom}"] = _spreads(times)
        all_times += times
    rows["paint, new view, all zooms"] = _spreads(all_times)
    timeline.set_axis(whole)
    rows["paint, same view"] = _spreads(_timed(paint, 60))
    rows["paint of the picture with its keyboard"] = _spreads(_timed(window.picture.repaint, 60))
    return rows


def _frames(window: AnnotateWindow) -> dict[str, Any]:
    editing = _editing(window)
    player, dice = editing.player, random.Random(5)
    player.seek(40_000 % editing.document.frame_count)
    run_until(lambda: player.is_settled)
    run_for(0.5)

    def step(frames: int) -> float:
        player.step(frames)
        return run_until(lambda: player.is_settled) * 1000

    ahead = [step(1) for _ in range(120)]
    back = [step(-1) for _ in range(120)]

    def seek() -> float:
        player.seek(dice.randrange(editing.document.frame_count))
        return run_until(lambda: player.is_settled) * 1000

    seeks = [seek() for _ in range(60)]
    return {
        "reference: decode one keyframe, nothing else": _spread(_bare_keyframes(editing, 30)),
        "next frame, 120 in a row": _spread(ahead),
        "previous frame, 120 in a row": _spread(back),
        "random seek": _spread(seeks),
    }


def _bare_keyframes(editing: Editing, count: int) -> list[float]:
    """Seeks and decodes by PyAV alone."""
    path = editing.recording.folder / editing.recording.meta.segments[0].name
    dice, times_ms = random.Random(6), []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for _ in range(count):
            before = time.perf_counter()
            container.seek(dice.randrange(60_000), stream=stream)
            next(container.decode(stream))
            times_ms.append((time.perf_counter() - before) * 1000)
    return times_ms


def _standing_still(window: AnnotateWindow) -> dict[str, Any]:
    editing, timeline = _editing(window), window.timeline
    dice, actions = random.Random(7), window.actions_by_name
    rows: dict[str, Any] = {}

    def watch(name: str, work: Callable[[], object]) -> None:
        with Heartbeat() as heart:
            work()
        rows[f"{name}, stands still"] = _pause(heart)

    def scrub() -> None:
        point = QPoint(header_px() + dice.randrange(timeline.axis.width_px), 10)
        QTest.mousePress(timeline.viewport(), Qt.MouseButton.LeftButton, pos=point)
        QTest.mouseRelease(timeline.viewport(), Qt.MouseButton.LeftButton, pos=point)

    def create() -> None:
        start = dice.randrange(editing.document.frame_count - 200)
        editing.create(LabelKind.FLAG, start, start + 120, f"word {dice.randrange(3)}")

    timeline.zoom_to_all()
    watch("zoom in", lambda: repeat(lambda: _turn(window, 1), 40))
    watch("pan", lambda: repeat(lambda: _turn(window, 1, Qt.KeyboardModifier.ShiftModifier), 60))
    watch("zoom out", lambda: repeat(lambda: _turn(window, -1), 40))
    watch("scrub", lambda: repeat(scrub, 60, every_ms=40))
    for speed in (1.0, 8.0, -2.0):
        editing.player.seek(editing.document.frame_count // 2)
        run_until(lambda: editing.player.is_settled)
        watch(f"play at {speed:g}", lambda speed=speed: (editing.player.play(speed), run_for(2.0)))
        editing.player.pause()
    watch("create 30 labels", lambda: repeat(create, 30, every_ms=60))
    watch("move a label 60 times", lambda: repeat(actions["move_later"].trigger, 60, every_ms=33))
    watch("to the next label 60 times", lambda: repeat(actions["next_span"].trigger, 60, every_ms=33))
    watch("undo 31 times", lambda: repeat(actions["undo"].trigger, 31, every_ms=60))
    watch("redo 31 times", lambda: repeat(actions["redo"].trigger, 31, every_ms=60))
    editing.presses.choose_lane(editing.inputs.codes[0])
    watch("add 20 presses", lambda: repeat(lambda: _add_press(editing, dice), 20, every_ms=60))
    editing.player.pause()
    return rows


def _deeds(window: AnnotateWindow, imputed: str, read_twice: str) -> dict[str, Any]:
    """What changes much at once, in an hour that is full of it."""
    rows: dict[str, Any] = {}

    def watch(name: str, work: Callable[[], object], times: int = 4) -> None:
        hearts = []
        for _ in range(times):
            with Heartbeat() as heart:
                work()
                run_for(0.5)
            hearts.append(heart)
        rows[f"{name}, stands still"] = _longest(hearts)

    actions = window.actions_by_name
    watch("larger text", actions["text_larger"].trigger)
    watch("smaller text", actions["text_smaller"].trigger)
    _open(window, imputed)
    run_for(1.0)
    editing = _editing(window)

    def confirm() -> None:
        waiting = suggestions(editing.document)
        editing.select(next(span for span in waiting if span.kind is LabelKind.ACTION).entity_id)
        actions["confirm"].trigger()

    watch("confirm an imputed stretch, hundreds there", confirm)
    watch("take that back", actions["undo"].trigger)
    _open(window, read_twice, COMPARING)
    run_for(1.0)
    watch("settle 300 places at once", actions["settle_agreed"].trigger, 1)
    watch("take that back, 300 places", actions["undo"].trigger, 1)
    return rows


def _add_press(editing: Editing, dice: random.Random) -> None:
    start = dice.randrange(editing.document.frame_count - 60)
    editing.presses.add(editing.inputs.codes[0], start, start + 20)


def _turn(window: AnnotateWindow, notches: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    port, at = window.timeline.viewport(), QPointF(400, 60)
    place, none = QPointF(port.mapToGlobal(at.toPoint())), Qt.MouseButton.NoButton
    event = QWheelEvent(at, place, QPoint(), QPoint(0, 120 * notches), none, keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(port, event)


def _editing(window: AnnotateWindow) -> Editing:
    assert window.editing is not None
    return window.editing


def _timed(call: Callable[[], object], times: int) -> list[Time]:
    taken = []
    for _ in range(times):
        before, worked = time.perf_counter(), time.thread_time()
        call()
        taken.append(((time.perf_counter() - before) * 1000, (time.thread_time() - worked) * 1000))
    return taken


def _spreads(times: Sequence[Time]) -> list[float]:
    return [*_spread([taken for taken, _ in times]), *_spread([worked for _, worked in times])]


def _spread(times_ms: Sequence[float]) -> list[float]:
    ordered = sorted(times_ms)
    return [round(statistics.median(ordered), 2), round(ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)], 2)]


def _longest(hearts: Sequence[Heartbeat]) -> list[float]:
    return [round(max(heart.gap_ms for heart in hearts), 1), round(max(heart.work_ms for heart in hearts), 1)]


def _pause(heart: Heartbeat) -> list[float]:
    return [round(heart.gap_ms, 1), round(heart.work_ms, 1)]
