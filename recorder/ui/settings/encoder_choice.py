"""Finds out, before the recording, which encoder this machine sustains for what is picked; in a thread of its own."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal

from db.errors import PlaytapeError
from db.specs import CaptureSpec, SizePx
from recorder import encoders
from recorder.screen.source import Bgra, even
from recorder.workers import Worker


class _News(QObject):
    chosen = pyqtSignal(object, object)
    """The trial that is over, and its Selection (None where no encoder opens)."""


class _Trial(Worker):
    def __init__(self, picture: Bgra, spec: CaptureSpec, news: _News) -> None:
        super().__init__("encoder trial")
        self._picture, self._spec, self._news = picture, spec, news
        height, width = picture.shape[:2]
        self.key = (even((width, height)), spec.rate_hz)
        self.problem = ""

    def run(self) -> None:
        width, height = self.key[0]
        try:
            found = encoders.choose(self.key[0], self._spec, [self._picture[:height, :width]])
        except PlaytapeError as error:
            self.problem = str(error)
            found = None
        self._news.chosen.emit(self, found)


class EncoderChoice(QObject):
    """Remembers one choice for each size and rate; `changed` when there is another sentence to show."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._news = _News()
        self._news.chosen.connect(self._take)
        self._trial: _Trial | None = None
        self._known: dict[tuple[SizePx, float], encoders.Selection] = {}
        self._last: tuple[Bgra, CaptureSpec] | None = None
        self.sentence = "Pick something to record; then the encoder is tried on it."

    @property
    def busy(self) -> bool:
        return self._trial is not None

    @property
    def can_repeat(self) -> bool:
        return self._last is not None and not self.busy

    def look(self, picture: Bgra, spec: CaptureSpec) -> None:
        """Tries the encoders on this picture unless that was done before. Cheap enough for every picture."""
        height, width = picture.shape[:2]
        key = (even((width, height)), spec.rate_hz)
        self._last = (picture, spec)
        if key in self._known or self.busy:
            if key in self._known:
                self._say(self._known[key].sentence)
            return
        self._say("Trying the encoders …")
        self._trial = _Trial(picture, spec, self._news)
        self._trial.start()

    def find(self, size_px: SizePx, spec: CaptureSpec) -> CaptureSpec:
        """What to record with: the choice for this size and rate, `spec` itself while there is none."""
        found = self._known.get((even(size_px), spec.rate_hz))
        return found.capture if found is not None else spec

    def repeat(self) -> None:
        """Forgets every trial and tries the last picture anew."""
        if self._last is not None and not self.busy:
            self._known = {}
            encoders.forget()
            self.look(*self._last)

    def close(self) -> None:
        if self._trial is not None:
            self._trial.close()
            self._trial = None

    def _take(self, trial: _Trial, found: encoders.Selection | None) -> None:
        if trial is not self._trial:
            return
        trial.close()
        self._trial = None
        if found is not None:
            self._known[trial.key] = found
            self._say(found.sentence)
        else:
            self._last = None
            self._say(trial.problem)

    def _say(self, sentence: str) -> None:
        if sentence != self.sentence:
            self.sentence = sentence
            self.changed.emit()
