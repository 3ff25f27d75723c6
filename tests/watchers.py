"""Somebody who steps, seeks and plays at random, and reads off every picture which frame it really is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np
from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtGui import QImage

from annotator.model.video.shuttle import SPEEDS
from annotator.ui.watch.player import Player
from films import read

DOINGS = ("seek", "near", "step", "seconds", "burst", "play", "shuttle", "turn", "pause", "loop")
_PATIENCE_MS = 60_000


def number_in(picture: QImage) -> int:
    """The frame number that a picture of a film shows."""
    picture = picture.convertToFormat(QImage.Format.Format_RGB32)
    bits = picture.constBits()
    assert bits is not None
    bits.setsize(picture.sizeInBytes())
    pixels = np.frombuffer(bits, np.uint8).reshape(picture.height(), picture.bytesPerLine() // 4, 4)
    return read(pixels[:, : picture.width(), :3])


class Watcher:
    """Does things with a player; `shown` counts the pictures it has seen, `wrong` keeps those that were other frames."""

    def __init__(self, player: Player, seed: int = 0) -> None:
        self.player = player
        self.shown = self.drafts = 0
        self.wrong: list[tuple[int, int]] = []
        """(the player's index, the number in the picture)"""
        self.done: Counter[str] = Counter()
        self.complaints: list[str] = []
        self._pick = random.Random(seed)
        player.displayed.connect(self._on_displayed)
        player.failed.connect(self.complaints.append)

    def do(self, times: int) -> None:
        """Does so many things at random, and now and then waits until all has come to rest."""
        for _ in range(times):
            doing = self._pick.choice(DOINGS)
            self.done[doing] += 1
            getattr(self, f"_{doing}")()
            if self._pick.random() < 0.5:
                self.rest()
        self.player.pause()
        self.rest()

    def rest(self) -> None:
        """Pauses where it plays, and waits for the frame that was asked for last."""
        if self.player.is_playing:
            self._wait(lambda: self.shown > 0 and not self._is_behind())
            self.player.pause()
        self._wait(lambda: self.player.is_settled)

    def _is_behind(self) -> bool:
        return self.player.is_playing and self._pick.random() < 0.5

    def _on_displayed(self, index: int, picture: QImage) -> None:
        self.shown += 1
        self.drafts += not self.player.is_true
        number = number_in(picture)
        if not number == index == self.player.index:
            self.wrong.append((index, number))

    def _wait(self, is_so: Callable[[], bool]) -> None:
        if is_so():
            return
        loop, ended = QEventLoop(), QTimer()
        ended.setSingleShot(True)
        ended.timeout.connect(loop.quit)
        ended.start(_PATIENCE_MS)
        self.player.displayed.connect(loop.quit)
        self.player.speed_changed.connect(loop.quit)
        self.player.failed.connect(loop.quit)
        try:
            while not is_so():
                assert ended.isActive(), "the player does not come to rest"
                loop.exec()
        finally:
            for signal in (self.player.displayed, self.player.speed_changed, self.player.failed):
                signal.disconnect(loop.quit)

    def _some_pictures(self) -> None:
        wanted = self.shown + self._pick.randrange(1, 4)
        self._wait(lambda: self.shown >= wanted or not self.player.is_playing)

    # What it does

    @property
    def _count(self) -> int:
        return len(self.player.clock)

    def _seek(self) -> None:
        self.player.seek(self._pick.randrange(-5, self._count + 5))

    def _near(self) -> None:
        self.player.seek(self.player.target + self._pick.randrange(-40, 40))

    def _step(self) -> None:
        self.player.step(self._pick.choice([-3, -1, -1, 1, 1, 2]))

    def _seconds(self) -> None:
        self.player.step_seconds(self._pick.choice([-1.0, 1.0]))

    def _burst(self) -> None:
        for _ in range(10):
            self.player.seek(self._pick.randrange(self._count))

    def _play(self) -> None:
        self.player.play(self._pick.choice([-1, 1]) * self._pick.choice(SPEEDS[2:]))
        self._some_pictures()

    def _shuttle(self) -> None:
        for _ in range(self._pick.randrange(1, 5)):
            self.player.shuttle(self._pick.choice([-1, 1]))
        self._some_pictures()

    def _turn(self) -> None:
        self.player.play(self._pick.choice([1.0, 4.0, 16.0]))
        self._some_pictures()
        self.player.play(-2.0)
        self._some_pictures()

    def _pause(self) -> None:
        self.player.pause()

    def _loop(self) -> None:
        start = self._pick.randrange(self._count)
        self.player.pace = self._pick.choice([2.0, 8.0, 16.0])
        self.player.set_loop(range(start, min(start + self._pick.randrange(1, 20), self._count)))
        self._some_pictures()
        if self._pick.random() < 0.7:
            self.player.set_loop(None)
