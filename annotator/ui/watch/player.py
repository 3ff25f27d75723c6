"""The frame-exact player: what is displayed is known by its index, at any speed and after any seek."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QImage

from annotator.model.timeline.navigation import clamp, second_away
from annotator.model.video.shuttle import pace_away, shuttle
from annotator.model.video.supply import Wish
from annotator.ui.watch.decoder import CACHE_BYTES, Decoder, DraftVideo
from db.clock import FrameClock, now_ns
from db.media.videoreader import VideoReader

SHORTEST_TICK_MS = 8


class Player(QObject):
    """Plays one session. Steps count from the frame that was asked for last, labels bind to `index`, the displayed one.

    Playback follows the frames' true times; frames that cannot be decoded in time are skipped, never shown as others.
    While playing or on the way a draft's picture may be shown; paused, the true one takes its place.
    """

    displayed = pyqtSignal(int, QImage)
    """(frame index, its picture), after `index` has changed, or the true picture of the same frame has come."""
    asked = pyqtSignal(int)
    """A frame that exactly is wanted, which may take a while where its keyframe is far away."""
    speed_changed = pyqtSignal(float)
    """0 while paused, negative backwards."""
    loop_changed = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(
        self,
        clock: FrameClock,
        open_reader: Callable[[], VideoReader],
        cache_bytes: int = CACHE_BYTES,
        draft: DraftVideo | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.clock = clock
        self.index = -1
        """The displayed frame, -1 before the first picture has arrived."""
        self.target = 0
        """The frame that was asked for last."""
        self.pace = 1.0
        """The speed that `toggle` plays at."""
        self.is_true = False
        """Whether the displayed picture is the video's own, and no draft."""
        self.loop: range | None = None
        """The frames that are played round and round."""
        self._speed = 0.0
        self._generation = self._shown = self._least = 0
        self._began = self._stopped = False
        self._from_ns = self._since_ns = 0  # media time and wall time when playing began
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._decoder = Decoder(open_reader, cache_bytes, draft, self)
        self._decoder.decoded.connect(self._on_decoded)
        self._decoder.failed.connect(self._on_failed)

    @property
    def speed(self) -> float:
        """The present speed, 0 while paused."""
        return self._speed

    @property
    def is_playing(self) -> bool:
        return self._speed != 0

    @property
    def is_settled(self) -> bool:
        """Whether the frame asked for last is the one displayed."""
        return self.index == self.target and self._shown == self._generation

    def seek(self, frame: int) -> None:
        """Shows a frame, clamped to the session; playing goes on from there. A loop that it is outside of ends."""
        frame = clamp(frame, len(self.clock))
        if self.loop is not None and frame not in self.loop:
            self.set_loop(None)
        self._go_to(frame, self._direction())

    def step(self, frames: int) -> None:
        """Pauses, and moves by whole frames."""
        self.pause()
        self._request(clamp(self.target + frames, len(self.clock)), 1 if frames > 0 else -1)

    def step_seconds(self, seconds: float) -> None:
        """Pauses, and moves by time along the frames' true stamps."""
        self.pause()
        self._request(second_away(self.clock, self.target, seconds), 0)

    def play(self, speed: float) -> None:
        """Plays at a speed, backwards where it is negative; 0 pauses."""
        if speed == 0:
            self.pause()
            return
        within = self._within
        if self.target not in within or (speed > 0 and self.target == within[-1]):
            self._go_to(within[0] if speed > 0 else within[-1], 0)
        self._set_speed(speed)
        self._anchor()
        self._tick()

    def pause(self) -> None:
        """Stops on the displayed frame, so that what is labelled is what is seen."""
        self._timer.stop()
        if self.is_playing:
            self._set_speed(0.0)
            if self.index >= 0:
                self._go_to(self.index, 0)

    def toggle(self) -> None:
        if self.is_playing:
            self.pause()
        else:
            self.play(self.pace)

    def shuttle(self, direction: int) -> None:
        """J and L: plays that way; again and again faster, and slower before it turns."""
        self.play(shuttle(self._speed, direction))

    def change_pace(self, steps: int) -> None:
        """One of SPEEDS further up or down, at once where it plays."""
        self.set_pace(pace_away(abs(self._speed) or self.pace, steps))

    def set_pace(self, pace: float) -> None:
        self.pace = pace
        if self.is_playing:
            self.play(pace if self._speed > 0 else -pace)
        else:
            self.speed_changed.emit(0.0)

    def set_loop(self, stretch: range | None) -> None:
        """Plays these frames round and round from now on; None: no longer, and playing goes on."""
        self.loop = stretch
        self.loop_changed.emit()
        if stretch is not None:
            self._go_to(stretch.start, 1)
            self.play(max(self._speed, 0.0) or self.pace)

    @property
    def is_ended(self) -> bool:
        """Whether `close` would not have to wait."""
        return not self._decoder.isRunning()

    def stop(self) -> None:
        """Begins to close: nothing is displayed any more."""
        self._timer.stop()
        if not self._stopped:
            self._stopped = True
            self._decoder.decoded.disconnect(self._on_decoded)
            self._decoder.failed.disconnect(self._on_failed)
            self._decoder.stop()

    def close(self) -> None:
        """Stops playing and joins the decoder's thread; a second call does nothing."""
        self.stop()
        self._decoder.close()

    @property
    def _within(self) -> range:
        """The frames that are played."""
        return self.loop or range(len(self.clock))

    def _go_to(self, frame: int, direction: int) -> None:
        """Asks for exactly this frame; pictures of what was wanted before are no longer shown."""
        self._least = self._generation
        self._request(frame, direction)
        self._anchor()

    def _request(self, index: int, direction: int, rate_hz: float = 0.0) -> None:
        self.target = index
        self._generation += 1
        self._decoder.request(Wish(self._generation, index, direction, rate_hz))
        if not self._began and not self._stopped:
            self._began = True
            self._decoder.start()  # not before: it would hold up whoever shows the session around it
        if not rate_hz:
            self.asked.emit(index)

    def _on_decoded(self, wish: Wish, index: int, picture: QImage, is_true: bool) -> None:
        self._decoder.acknowledge()
        if wish.generation < max(self._shown, self._least + 1):
            return
        if self.is_playing and not self.is_settled and index == self.target and not wish.plays:
            self._since_ns = now_ns()  # time does not go by while the frame to start from is looked for
        self._shown, self.index, self.is_true = wish.generation, index, is_true
        self.displayed.emit(index, picture)

    def _on_failed(self, message: str) -> None:
        self.pause()
        self.failed.emit(message)

    def _set_speed(self, speed: float) -> None:
        if speed != self._speed:
            self._speed = speed
            self.speed_changed.emit(speed)

    def _direction(self) -> int:
        return (self._speed > 0) - (self._speed < 0)

    def _anchor(self) -> None:
        """Playing counts from now, at the first moment of the frame asked for; backward at its last."""
        start_ns, stop_ns = self.clock.span(self.target)
        self._from_ns, self._since_ns = start_ns if self._speed >= 0 else stop_ns - 1, now_ns()

    def _tick(self) -> None:
        """Asks for the frame of this moment and sleeps until the next one is due."""
        if not self.is_playing:
            return
        if self._least == self._generation - 1 and not self.is_settled:
            self._timer.start(SHORTEST_TICK_MS)
            return
        media_ns = self._from_ns + round((now_ns() - self._since_ns) * self._speed)
        within = self._within
        index = min(max(self.clock.index_at(media_ns), within[0]), within[-1])
        start_ns, stop_ns = self.clock.span(index)
        if index != self.target:
            rate_hz = abs(self._speed) * 1e9 / (stop_ns - start_ns)
            self._request(index, self._direction(), rate_hz)
        if media_ns >= self.clock.edges_ns[within.stop] if self._speed > 0 else media_ns < self.clock.t_ns[within[0]]:
            self._end()
            return
        due_ns = (stop_ns - media_ns) if self._speed > 0 else (media_ns - start_ns + 1)
        self._timer.start(max(SHORTEST_TICK_MS, round(due_ns / abs(self._speed) / 1e6)))

    def _end(self) -> None:
        """The last frame has had its time: stops on it, or begins the loop again."""
        if self.loop is not None:
            self._go_to(self.loop[0] if self._speed > 0 else self.loop[-1], self._direction())
            self._timer.start(SHORTEST_TICK_MS)
            return
        self._timer.stop()
        self._set_speed(0.0)
        self._go_to(self.target, 0)
