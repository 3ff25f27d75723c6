"""Choose sessions, see what a dataset of them holds while choosing, and train: nothing chosen means all that are accepted."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.contents import Contents, of_preview
from annotator.model.library.following import folder_stamp
from annotator.model.library.frozen import DatasetFolder, Frozen
from annotator.model.library.wish import Sum, chosen, sum_up
from annotator.ui.errand import Errand
from annotator.ui.keys.controls import follow
from annotator.ui.library.bars import time_words
from annotator.ui.library.browse_page import heading
from annotator.ui.library.choice_bar import ChoiceBar
from annotator.ui.library.dataset_picture import DatasetPicture
from annotator.ui.library.train_form import Offer, TrainForm
from annotator.ui.library.trainer_call import TrainerCall
from annotator.ui.scroll_column import ScrollColumn
from db.library.facets import read_facets
from db.library.index import index_stamp
from db.store import Store

REST_MS = 250
_ID_ROLE = Qt.ItemDataRole.UserRole
_NOTHING = "No session is accepted yet. Label sessions and accept them (A); only those are trained on."


class TrainPage(QWidget):
    """Counts from the index at once and from the sessions a moment later, in processes and threads of their own."""

    told = pyqtSignal(str)
    wanted = pyqtSignal(object)
    """Options for `playtape-train pipeline`."""

    def __init__(self, store: Store, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._go, self._freeze_action = actions["start_training"], actions["freeze_dataset"]
        self._library = ["--library", str(store.root)]
        self._folder = DatasetFolder(store.datasets_dir)
        self._stamp: tuple[int, ...] = ()
        self._datasets_stamp: object = None
        self._errands: list[Errand] = []
        self._is_counting = False
        self.sum: Sum | None = None
        self._preview: Contents | None = None
        self.bar, self.picture, self.form = ChoiceBar(), DatasetPicture(), TrainForm()
        self.line, self.state = QLabel(), QLabel()
        self.datasets = QListWidget()
        self.start = QPushButton("Start training")
        self.freeze = QPushButton("Freeze dataset")
        self.preview, self.asking = TrainerCall(self), TrainerCall(self)
        self.freezing = TrainerCall(self)
        self._arrange(actions)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REST_MS)
        self._soon.timeout.connect(self._count_whole)
        self.bar.changed.connect(self.count)
        self.form.changed.connect(self._on_config)
        self.datasets.currentRowChanged.connect(lambda _: self._on_dataset())
        self.preview.answered.connect(self._on_counted)
        self.preview.failed.connect(self._on_failed)
        self.asking.answered.connect(lambda says: self.form.offer([Offer.of(one) for one in says["configurations"]]))
        self.asking.failed.connect(self.told)
        self.freezing.answered.connect(self._on_frozen)
        self.freezing.failed.connect(self._on_not_frozen)
        self._judge()

    @property
    def dataset(self) -> Frozen | None:
        """The frozen one to train on; None for one of the sessions that are chosen."""
        item = self.datasets.currentItem()
        frozen: Frozen | None = item.data(_ID_ROLE) if item is not None else None
        return frozen

    @property
    def can_start(self) -> bool:
        if self.form.problem:
            return False
        return self.dataset is not None or bool(self.sum and self.sum.sessions and not self.picture.contents.problem)

    def look(self) -> None:
        """Counts again where somebody has written to the library, and looks for datasets; asks once what can run here."""
        self.form.show_until()
        if not self.asking.is_asking and not self._stamp:
            self.asking.ask(["configurations"])
        stamp = index_stamp(self._store.root)
        is_resting = not (
            self.preview.is_asking or self._soon.isActive()
        )  # who labels meanwhile must not delay it for good
        if stamp != self._stamp and is_resting:
            self._stamp = stamp
            self.count()
        self._look_for_datasets()

    def count(self) -> None:
        """Says what the index knows at once; the rest follows."""
        choice = self.bar.choice()
        self._soon.start()
        self.picture.wait()
        self._tell_counting()
        self._run(lambda store, _: (choice, sum_up(chosen(store, choice)), read_facets(store)), self._on_summed)

    def options(self) -> list[str]:
        """Of the pipeline that trains what is chosen."""
        form, frozen = self.form, self.dataset
        wish = ["--models", form.models, "--minutes", f"{form.minutes.value():g}"]
        if frozen is not None:
            return ["--dataset", frozen.id, *wish, f"--config={form.chosen.name}"]
        return [*wish, *self.bar.choice(form.chosen.name).options()]

    def begin(self) -> None:
        """Starts what is chosen."""
        if self.can_start:
            self.wanted.emit(self.options())

    def freeze_now(self) -> None:
        """Makes a dataset of the chosen sessions without training on it."""
        if self.dataset is None and not self.freezing.is_asking:
            self.freezing.ask(["dataset", *self._library, *self.bar.choice(self.form.chosen.name).options()])
            self._judge()

    def close_threads(self) -> None:
        self._soon.stop()
        for call in (self.preview, self.asking, self.freezing):
            call.close()
        for errand in list(self._errands):
            errand.close()

    def _arrange(self, actions: Mapping[str, QAction]) -> None:
        font = self.line.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        self.line.setFont(font)
        for label in (self.line, self.state):
            label.setWordWrap(True)
        self.state.setForegroundRole(self.state.palette().ColorRole.PlaceholderText)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(8)
        for widget in (heading("Sessions"), self.bar, self.line, self.state, self.picture):
            column.addWidget(widget)
        column.addStretch()
        self.start.setProperty("primary", True)
        for button, name in ((self.start, "start_training"), (self.freeze, "freeze_dataset")):
            button.setMinimumSize(64, 32)
            follow(button, actions[name])
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.start)
        buttons.addWidget(self.freeze)
        buttons.addStretch()
        self.datasets.setAccessibleName("What to learn from")
        self.datasets.setToolTip("Learn from the chosen sessions, or from a dataset that was frozen before")
        self.datasets.setMinimumHeight(120)
        self.datasets.setSpacing(4)
        self.datasets.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.datasets.addItem(QListWidgetItem("The sessions chosen here\nA new dataset is frozen of them"))
        self.datasets.setCurrentRow(0)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(12, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(heading("Training"))
        column.addWidget(self.form)
        column.addLayout(buttons)
        column.addSpacing(12)
        column.addWidget(heading("Learn from"))
        column.addWidget(self.datasets, 1)
        body = QSplitter(Qt.Orientation.Horizontal)
        for part in (ScrollColumn(left), ScrollColumn(right)):
            body.addWidget(part)
        body.setSizes([600, 480])
        body.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(body)

    # What is counted

    def _run(self, work, on_ended) -> None:
        errand = Errand(self._store.root, work, self)
        self._errands.append(errand)
        errand.ended.connect(on_ended)
        errand.failed.connect(self.told)
        errand.finished.connect(lambda: (self._errands.remove(errand), errand.deleteLater()))
        errand.start()

    def _on_summed(self, found) -> None:
        choice, total, facets = found
        self.bar.know(facets)
        if choice != self.bar.choice():
            return  # something else is chosen by now
        self.sum = total
        self._say()

    def _count_whole(self) -> None:
        """From the sessions themselves, in a process: frames, keys, splits."""
        self._is_counting = True
        self.preview.ask(["dataset", "--preview", *self._library, *self.bar.choice(self.form.chosen.name).options()])
        self._tell_counting()

    def _on_counted(self, says) -> None:
        self._is_counting = False
        self._preview = of_preview(says)
        if self.dataset is None:
            self.picture.show_contents(self._preview)
        self._say()

    def _on_failed(self, text: str) -> None:
        self._is_counting = False
        self.state.setText(text)
        self._judge()

    def _tell_counting(self) -> None:
        if self.dataset is None:
            self.state.setText("Counting frames and keys…")
        self._judge()

    def _say(self) -> None:
        frozen, total = self.dataset, self.sum
        if frozen is not None:
            self.line.setText(f"Dataset {frozen.id}")
            asked = f"Of {frozen.asked}. " if frozen.asked else ""
            self.state.setText(f"{asked}Frozen: it stays as it is, whatever happens to the sessions.")
        elif total is not None:
            kept = "chosen" if self.bar.choice().is_any_review else "accepted"
            parts = [f"{total.sessions} {kept} session{'s' * (total.sessions != 1)}", time_words(total.seconds)]
            for count, word in ((total.groups, "sitting"), (total.games, "game"), (total.players, "player")):
                parts.append(f"{count} {word}{'s' * (count != 1)}")
            self.line.setText(" · ".join(parts) if total.sessions else "No sessions")
            is_waiting = self._is_counting or self._soon.isActive()
            self.state.setText("Counting frames and keys…" if is_waiting else "" if total.sessions else _NOTHING)
        self.state.setVisible(bool(self.state.text()))
        self._judge()

    def _judge(self) -> None:
        self._go.setEnabled(self.can_start)
        self._freeze_action.setEnabled(self.can_start and self.dataset is None and not self.freezing.is_asking)

    # Datasets

    def _look_for_datasets(self) -> None:
        stamp = folder_stamp(self._store.datasets_dir)
        if stamp != self._datasets_stamp:
            self._datasets_stamp = stamp
            self._run(lambda *_: self._folder.datasets(), self._show_datasets)

    def _show_datasets(self, found: list[Frozen]) -> None:
        shown = [self.datasets.item(row).data(_ID_ROLE) for row in range(1, self.datasets.count())]
        if shown == found:
            return
        chosen_id = self.dataset.id if self.dataset else ""
        self.datasets.blockSignals(True)
        while self.datasets.count() > 1:
            self.datasets.takeItem(1)
        for frozen in found:
            item = QListWidgetItem(_dataset_words(frozen))
            item.setData(_ID_ROLE, frozen)
            item.setToolTip("\n".join([frozen.id, *frozen.contents.warnings]))
            self.datasets.addItem(item)
        ids = ["", *(frozen.id for frozen in found)]
        self.datasets.setCurrentRow(ids.index(chosen_id) if chosen_id in ids else 0)
        self.datasets.blockSignals(False)
        self._on_dataset()

    def _on_dataset(self) -> None:
        frozen = self.dataset
        self.bar.setEnabled(frozen is None)
        self.form.suit((frozen.size_px, frozen.rate_hz) if frozen else None)
        if frozen is not None:
            self.picture.show_contents(frozen.contents)
        elif self._preview is not None:
            self.picture.show_contents(self._preview)
        self._say()

    def _on_config(self) -> None:
        """Another configuration has other pictures, and so other counts."""
        if self.dataset is None:
            self.count()
        self._judge()

    def _on_frozen(self, says) -> None:
        self.told.emit(f"Dataset {says['id']} is frozen.")
        self._look_for_datasets()
        self._judge()

    def _on_not_frozen(self, text: str) -> None:
        self.told.emit(text)
        self._judge()


def _dataset_words(frozen: Frozen) -> str:
    contents = frozen.contents
    games = ", ".join(name for name, _ in contents.games[:2])
    more = f" +{len(contents.games) - 2}" if len(contents.games) > 2 else ""
    facts = f"{contents.sessions} sessions · {time_words(frozen.seconds)} · {len(contents.keys)} keys"
    return f"{frozen.id}\n{facts}" + (f" · {games}{more}" if games else "")
