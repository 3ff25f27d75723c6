"""Where an IDM disagrees with the recording: read when a session opens, kept up with every correction, gone through."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from annotator.model.timeline.heat import Heat
from annotator.model.timeline.navigation import next_stop, previous_stop
from annotator.ui.annotate.doubt_words import doubt_words
from annotator.ui.errand import Errand
from annotator.ui.keys.bindings import with_keys
from db.recording.expectation import Expectation, find_expectations, read_expectation

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing


class Doubting(QObject):
    """Part of an Editing. What changed is worked out between the events of the window, a key at a time."""

    changed = pyqtSignal()
    """The lane is another one, or is gone."""

    def __init__(self, editing: Editing, root: Path, cache_dir: Path) -> None:
        super().__init__(editing)
        self.heat: Heat | None = None
        """None where no IDM has been asked."""
        self._editing, self._root, self._cache_dir = editing, root, cache_dir
        self._errand: Errand | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._work)
        self.load()

    def load(self) -> None:
        """Reads what the IDM that was asked last has said, if any was."""
        meta, count = self._editing.recording.meta, len(self._editing.recording.clock)
        paths = find_expectations(self._cache_dir, meta.id, meta.revision)
        self._end_errand()
        if paths:
            self._errand = Errand(self._root, lambda store, errand: read_expectation(paths[0], count), self)
            self._errand.ended.connect(self._on_read)
            self._errand.failed.connect(self._on_failed)
            self._errand.start()

    def follow(self) -> None:
        """After a change of the document."""
        if self.heat is not None and not self.heat.is_current:
            self._timer.start()

    def close(self) -> None:
        self._timer.stop()
        self._end_errand()

    def go_on(self, direction: int) -> None:
        """To the next (1) or the previous (-1) place where it disagrees, and says with what."""
        editing, heat = self._editing, self.heat
        if heat is None:
            editing.refused.emit(with_keys("No IDM was asked yet where it disagrees: {ask_heat:Shift+I} asks one."))
            return
        there = next_stop if direction > 0 else previous_stop
        found = there(heat.peaks, editing.frame)
        if found is None:
            which = "further" if len(heat.peaks) else "greater"
            editing.refused.emit(
                f"There is no {which} disagreement {'after' if direction > 0 else 'before'} this frame."
            )
            return
        editing.player.pause()
        editing.player.seek(found)
        editing.told.emit("; ".join(doubt_words(doubt) for doubt in heat.doubts(heat.lane.at(found))))

    # Inside

    def _on_read(self, said: Expectation) -> None:
        if self._errand is not None:
            self._end_errand()
            self.heat = Heat(said, self._editing.inputs)
            self._timer.start()

    def _on_failed(self, text: str) -> None:
        if self._errand is not None:
            self._end_errand()
            self._editing.refused.emit(text)

    def _work(self) -> None:
        if self.heat is not None and self.heat.advance():
            return
        self._timer.stop()
        self.changed.emit()

    def _end_errand(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.close()
            errand.deleteLater()
