"""What waits to be confirmed or rejected: how many suggestions, of which source, and a model's narrative."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from annotator.model.edits.narratives import narratives
from annotator.model.edits.suggesting import suggestions
from annotator.ui.annotate.asking_bar import AskingBar
from annotator.ui.annotate.editing import Editing
from annotator.ui.keys.controls import follow, tell_keys

_SHOWN = 160


class SuggestionBar(QWidget):
    """Under the picture; hidden while nothing waits. Its buttons are the window's actions."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing: Editing | None = None
        self._counts: Counter[str] = Counter()
        self.count = QLabel()
        self.count.setWordWrap(True)
        self.count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.sources = QComboBox()
        self.sources.setMinimumHeight(28)
        self.sources.setAccessibleName("Whose suggestions")
        tell_keys(self.sources, "Whose suggestions are gone through, confirmed and rejected", actions["next_source"])
        self.sources.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.sources.activated.connect(self._on_chosen)
        self.asking, self.labelling, self.expecting = (AskingBar(actions["stop_asking"]) for _ in range(3))
        self.narrative = QLabel()
        self.narrative.setTextFormat(Qt.TextFormat.PlainText)
        self.narrative.setWordWrap(True)
        self.narrative.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._waiting, self._told = QWidget(), QWidget()
        line = QHBoxLayout(self._waiting)
        line.setSpacing(4)
        line.addWidget(self.count, 1)
        line.addWidget(self.sources)
        for name, word in (("next_suggestion", "Next"), ("confirm_all", "Confirm all"), ("reject_all", "Reject all")):
            line.addWidget(_button(actions[name], word))
        told = QHBoxLayout(self._told)
        told.setSpacing(4)
        told.addWidget(self.narrative, 1)
        told.addWidget(_button(actions["take_narrative"], "Into the note"), 0, Qt.AlignmentFlag.AlignTop)
        told.addWidget(_button(actions["drop_narrative"], "Drop"), 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        for part in (self.asking, self.labelling, self.expecting, self._waiting, self._told):
            part.layout().setContentsMargins(0, 0, 0, 0)
            column.addWidget(part)
        self._refresh()

    def show_editing(self, editing: Editing | None) -> None:
        self._editing = editing
        if editing is not None:
            editing.changed.connect(lambda _: self._refresh())
            editing.suggesting.source_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        document = self._editing.document if self._editing else None
        self._counts = Counter(span.source for span in suggestions(document)) if document else Counter()
        self._show_count()
        told = narratives(document) if document else []
        self._told.setVisible(bool(told))
        if told:
            text = told[0].text
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN].rsplit(' ', 1)[0]} …"
            self.narrative.setText(f"{source_words(told[0].source)} tells: {shown}")
            self.narrative.setAccessibleName("The model's narrative")
            self.narrative.setToolTip(f"<p>{escape(text)}</p>")
        self._waiting.setVisible(bool(self._counts))

    def _show_count(self) -> None:
        chosen = self._editing.suggesting.source if self._editing else ""
        count = self._counts[chosen] if chosen else self._counts.total()
        self.count.setText(f"{count} suggestion{'s' * (count != 1)} to confirm or reject")
        self.sources.setVisible(len(self._counts) > 1 or bool(chosen))
        lines = [(f"All ({self._counts.total()})", "")]
        for source in sorted({*self._counts, *([chosen] if chosen else [])}):
            lines.append((f"{source_words(source)} ({self._counts[source]})", source))
        if [self.sources.itemData(row) for row in range(self.sources.count())] != [source for _, source in lines]:
            self.sources.clear()
            for text, source in lines:
                self.sources.addItem(text, source)
        for row, (text, _) in enumerate(lines):
            self.sources.setItemText(row, text)
        self.sources.setCurrentIndex(max(self.sources.findData(chosen), 0))

    def _on_chosen(self, row: int) -> None:
        if self._editing is not None:
            self._editing.suggesting.choose_source(self.sources.itemData(row))


def source_words(source: str) -> str:
    """`run:rules-1` -> Rules, `run:vision-watcher` -> watcher."""
    name = source.removeprefix("run:")
    if name.startswith("rules"):
        return "Rules"
    return name.removeprefix("vision-")


def _button(action: QAction, text: str) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    follow(button, action)
    return button
