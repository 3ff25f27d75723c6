"""The library's models: their figures beside the baselines, their cards, and what one can do with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PyQt6.QtCore import QItemSelectionModel, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.following import folder_stamp
from annotator.model.library.trained import (
    BASELINES,
    FIGURE_WORDS,
    HEADLINES,
    OWN,
    PAGE_NAME,
    Trained,
    empty_models_trash,
    name_model,
    restore_model,
    trained_models,
    trash_model,
)
from annotator.ui.errand import Errand
from annotator.ui.flow_layout import FlowLayout
from annotator.ui.keys.controls import follow, tell_keys
from annotator.ui.library.browse_page import heading
from annotator.ui.library.model_list import KIND_WORDS, TRAINED_ROLE, ModelList
from annotator.ui.notices import EmptyPage
from annotator.ui.outside import show_outside
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.text_guard import TextGuard
from annotator.ui.text_size import grown
from db.errors import PlaytapeError
from db.store import Store

MODEL_BUTTONS = (
    "model_card", "measure_model", "play", "correct_model", "label_by_idm", "compare_models", "trash_model", "open_model",
)  # fmt: skip
_OF_CHOSEN = ("model_card", "measure_model", "open_model", "rename_model", "trash_model")


class ModelsPage(QWidget):
    """Looks at the models' folders in a thread when `look` is called."""

    told = pyqtSignal(str, str, object)
    """(sentence, word on its button, what the button does) for the window's notice."""
    measure_wanted = pyqtSignal(str)
    compare_wanted = pyqtSignal(object)

    def __init__(self, store: Store, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._actions = {name: actions[name] for name in (*_OF_CHOSEN, "compare_models")}
        self._errand: Errand | None = None
        self._stamp: object = None
        self._wanted = ""
        self.list = ModelList()
        self.title, self.facts, self.note = QLabel(), QLabel(), QLabel()
        self.name = QLineEdit()
        self.scores = QTableWidget()
        self.empty = EmptyPage(
            "No model yet", "Train one; when it is done it appears here with what was measured of it."
        )
        self.empty.add_button("Train", "Choose what to train").clicked.connect(actions["train"].trigger)
        self._arrange(actions)
        selection = self.list.selectionModel()
        assert selection is not None
        selection.selectionChanged.connect(lambda *_: self._show())
        self.list.doubleClicked.connect(lambda _: actions["model_card"].trigger())
        self.name.editingFinished.connect(self._rename)
        self._show()

    @property
    def selected(self) -> list[Trained]:
        """In the order of the list."""
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [self.list.models.models[row] for row in rows]

    @property
    def current(self) -> Trained | None:
        """The one that is shown."""
        chosen = self.selected
        index = self.list.currentIndex()
        trained: Trained | None = index.data(TRAINED_ROLE) if index.isValid() else None
        return trained if trained in chosen else (chosen[0] if chosen else None)

    def look(self) -> None:
        stamp = folder_stamp(self._store.models_dir)
        if self._errand is None and stamp != self._stamp:
            self._stamp = stamp
            self._errand = Errand(self._store.root, lambda store, _: trained_models(store.models_dir), self)
            self._errand.ended.connect(self._become)
            self._errand.failed.connect(lambda text: self.told.emit(text, "", None))
            self._errand.finished.connect(self._on_finished)
            self._errand.start()

    def choose(self, model_id: str) -> None:
        """Now, or as soon as it is there."""
        self._wanted = model_id
        self._choose(model_id)

    def open_card(self) -> None:
        """In the browser; one that nobody measured yet is measured first."""
        trained = self.current
        if trained is None:
            return
        if trained.has_page:
            path = self._store.models_dir / trained.id / PAGE_NAME
            self._show_outside(path)
        else:
            self.measure_wanted.emit(trained.id)

    def measure(self) -> None:
        if self.current is not None:
            self.measure_wanted.emit(self.current.id)

    def open_folder(self) -> None:
        if self.current is not None:
            self._show_outside(self._store.models_dir / self.current.id)

    def _show_outside(self, path: Path) -> None:
        if refused := show_outside(path):
            self.told.emit(refused, "", None)

    def compare(self) -> None:
        chosen = self.selected
        if len(chosen) < 2 or len({trained.kind for trained in chosen}) > 1:
            self.told.emit("Select two or more models of one kind (Ctrl+Space or Shift), then compare them.", "", None)
            return
        self.compare_wanted.emit([trained.id for trained in chosen])

    def trash(self) -> None:
        """Puts the selected models aside; they can be taken back until the window closes."""
        chosen = self.selected
        try:
            for trained in chosen:
                trash_model(self._store.models_dir, trained.id)
        except PlaytapeError as error:
            self.told.emit(str(error), "", None)
        else:
            count = f"{len(chosen)} models" if len(chosen) != 1 else f"Model {chosen[0].title}"
            text = f"{count} deleted; for good when this window closes."
            self.told.emit(text, "Undo", lambda: self._restore([trained.id for trained in chosen]))
        self.look()

    def rename(self) -> None:
        """Goes to the field with the name."""
        self.name.setFocus()
        self.name.selectAll()

    def close_threads(self) -> None:
        """What was deleted is gone now."""
        if self._errand is not None:
            self._errand.close()
        try:
            empty_models_trash(self._store.models_dir)
        except PlaytapeError:
            return  # it stays in the trash, and goes with the next window

    def _arrange(self, actions: Mapping[str, QAction]) -> None:
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        self.title.setFont(font)
        for label in (self.facts, self.note):
            label.setWordWrap(True)
            label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
        self.name.setMinimumHeight(28)
        self.name.setMaxLength(80)
        self.name.setAccessibleName("Name of the model")
        self.name.setPlaceholderText("a name of your own for it")
        TextGuard(self.name)
        tell_keys(self.name, "What you call this model; Enter keeps it", actions["rename_model"])
        self.scores.setAccessibleName("Figures of the model beside its baselines")
        self.scores.setToolTip("On recordings that were held out: the model, and what it has to beat")
        self.scores.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.scores.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.scores.setTabKeyNavigation(False)
        self.scores.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        head = self.scores.horizontalHeader()
        assert head is not None
        head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        buttons = QWidget()
        row = FlowLayout(buttons, 8, first_grows=False)
        for name in MODEL_BUTTONS:
            button = QPushButton(actions[name].text())
            button.setMinimumHeight(32)
            button.setProperty("primary", name == "model_card")
            follow(button, actions[name])
            row.addWidget(button)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(12, 0, 0, 0)
        column.setSpacing(8)
        self._figures = heading("Measured on what was held out")
        for widget in (self.title, self.name, self.facts, buttons, self._figures, self.scores, self.note):
            column.addWidget(widget)
        column.addStretch()
        body = QSplitter(Qt.Orientation.Horizontal)
        body.addWidget(self.list)
        body.addWidget(ScrollColumn(right))
        body.setSizes([420, 680])
        body.setStretchFactor(1, 1)
        body.setChildrenCollapsible(False)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def _become(self, models: list[Trained]) -> None:
        wanted = self._wanted
        if models != self.list.models.models:
            kept = [trained.id for trained in self.selected]
            self.list.models.become(models)
            for model_id in kept:
                self._choose(model_id, also=True)
        self._pages.setCurrentIndex(1 if models else 0)
        if wanted:
            self._wanted = wanted
            self._choose(wanted)
        if models and not self.selected:
            self._choose(models[0].id)
        self._show()

    def _choose(self, model_id: str, *, also: bool = False) -> None:
        model, selection = self.list.models, self.list.selectionModel()
        assert selection is not None
        for row, trained in enumerate(model.models):
            if trained.id == model_id:
                self._wanted = ""
                flag = (
                    QItemSelectionModel.SelectionFlag.Select
                    if also
                    else QItemSelectionModel.SelectionFlag.ClearAndSelect
                )
                selection.setCurrentIndex(model.index(row), flag)

    def _restore(self, ids: list[str]) -> None:
        try:
            for model_id in ids:
                restore_model(self._store.models_dir, model_id)
        except PlaytapeError as error:
            self.told.emit(str(error), "", None)
        self.look()

    def _rename(self) -> None:
        trained = self.current
        if trained is None or self.name.text().strip() == trained.name:
            return
        try:
            name_model(self._store.models_dir, trained.id, self.name.text())
        except PlaytapeError as error:
            self.told.emit(str(error), "", None)
        self.look()

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None

    def _show(self) -> None:
        trained, chosen = self.current, self.selected
        self._actions["compare_models"].setEnabled(bool(self.list.models.models))
        for name in _OF_CHOSEN:
            self._actions[name].setEnabled(trained is not None)
        if trained is None:
            return
        more = f" and {len(chosen) - 1} more selected" if len(chosen) > 1 else ""
        self.title.setText(f"{trained.title}{more}")
        if not self.name.hasFocus():
            self.name.setText(trained.name)
        about = [KIND_WORDS.get(trained.kind, trained.kind), f"configuration {trained.config}"]
        about += [f"{trained.parameters / 1e6:.1f} million parameters"] if trained.parameters else []
        about += [f"{trained.steps:,} steps", f"dataset {trained.dataset}"]
        self.facts.setText(" · ".join(about) + (f"\n{trained.id}" if trained.name else ""))
        self._show_scores(trained)

    def _show_scores(self, trained: Trained) -> None:
        names, scores = HEADLINES.get(trained.kind, ()), trained.scores
        whose = [who for who in (OWN, *BASELINES) if who in scores]
        self._figures.setVisible(bool(whose))
        self.scores.setVisible(bool(whose))
        self.note.setText(
            "Repeat last sees the true action of the frame before, which no model is given: at ±1 frame its F1 is 1 by "
            "construction. The card has every figure, per key and per game."
            if whose
            else "Nobody has measured it on what was held out yet. Measure does that and writes its card."
        )
        self.scores.setRowCount(len(names))
        self.scores.setColumnCount(len(whose))
        self.scores.setHorizontalHeaderLabels(whose)
        self.scores.setVerticalHeaderLabels([FIGURE_WORDS[name] for name in names])
        for row, name in enumerate(names):
            for column, who in enumerate(whose):
                value = scores[who].get(name)
                item = QTableWidgetItem("–" if value is None else f"{value:.3f}")
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                if who == OWN:
                    font = item.font()
                    font.setBold(True)
                    item.setFont(font)
                self.scores.setItem(row, column, item)
        head = self.scores.horizontalHeader()
        assert head is not None
        self.scores.setFixedHeight(
            head.sizeHint().height() + sum(map(self.scores.rowHeight, range(len(names)))) + grown(4)
        )
