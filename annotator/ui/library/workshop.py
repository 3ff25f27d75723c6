"""What the library's window has for who makes models: the pages Train, Runs and Models, and what the trainer does for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QDialog, QWidget

from annotator.jobs import start_job
from annotator.model.library.trained import Trained, trained_models
from annotator.ui.errand import Errand
from annotator.ui.keys.table import ActionSpec
from annotator.ui.library.dialogs import CorrectDialog, LabelDialog, PlayDialog
from annotator.ui.library.models_page import ModelsPage
from annotator.ui.library.run_watch import RunWatch
from annotator.ui.library.runs_page import RunsPage
from annotator.ui.library.task_bar import TaskBar, Then
from annotator.ui.library.train_page import TrainPage
from annotator.ui.outside import show_outside
from db.errors import PlaytapeError, from_os_error
from db.library.catalogue import SessionSummary
from db.store import Store

if TYPE_CHECKING:
    from annotator.ui.library.library_window import LibraryWindow

WORKSHOP_PAGES = ("train", "runs", "models")
_MENU = "Train and play"
_NO_RUN, _NO_MODEL = "Choose a run on the Runs page first.", "Choose a model on the Models page first."
WORKSHOP_ACTIONS = (
    ActionSpec("train", "Train", ("Ctrl+T",), _MENU, tip="Choose sessions, see what they hold, and train models from them"),
    ActionSpec("play", "Play", ("Ctrl+P",), _MENU, tip="Let a trained policy play"),
    ActionSpec(
        "correct_model", "Learn from corrections…", ("Ctrl+Shift+T",), _MENU,
        tip="Let a policy go on learning from where people took over from a model",
    ),
    ActionSpec(
        "start_training", "Start training", ("Ctrl+Return",), _MENU,
        tip="Start what is chosen on the Train page; with nothing chosen, both models on all accepted sessions",
        needs="There is nothing to train on; open the Train page, it says why.",
    ),
    ActionSpec(
        "freeze_dataset", "Freeze dataset", ("Ctrl+D",), _MENU,
        tip="Make a dataset of the sessions chosen on the Train page, without training on it yet",
        needs="There is nothing to freeze; open the Train page, it says why.",
    ),
    ActionSpec(
        "stop_run", "Stop", ("Ctrl+Shift+S",), _MENU, tip="Ask the chosen run to save and stop; it can go on later",
        needs="Choose a run that goes on.",
    ),
    ActionSpec(
        "resume_run", "Resume", ("Ctrl+Shift+R",), _MENU, tip="Go on with the chosen run from its last save",
        needs="Choose a run that was stopped, failed or crashed.",
    ),
    ActionSpec("show_log", "Log", ("Ctrl+Shift+G",), _MENU, tip="Show what the chosen run said", needs=_NO_RUN),
    ActionSpec("open_run", "Open the run's folder", (), _MENU, tip="Open the chosen run's folder", needs=_NO_RUN),
    ActionSpec(
        "run_model", "Its model", ("Ctrl+M",), _MENU, tip="Show the model that the chosen run made",
        needs="Choose a run that has made a model.",
    ),
    ActionSpec(
        "model_card", "Card", ("Ctrl+K",), _MENU,
        tip="Open the chosen model's card in the browser; it is measured first where nobody did", needs=_NO_MODEL,
    ),
    ActionSpec(
        "measure_model", "Measure", ("Ctrl+Shift+K",), _MENU,
        tip="Measure the chosen model on what was held out, beside its baselines", needs=_NO_MODEL,
    ),
    ActionSpec(
        "label_by_idm", "Label by an IDM…", ("Ctrl+Shift+I",), _MENU,
        tip="Let an IDM suggest what was pressed in the selected sessions, or in those without inputs",
    ),
    ActionSpec(
        "compare_models", "Compare", ("Ctrl+Shift+C",), _MENU,
        tip="Put the figures of the selected models side by side, on the same sessions, in the browser", needs=_NO_MODEL,
    ),
    ActionSpec("rename_model", "Name the model", ("F2",), _MENU, tip="Give the chosen model a name", needs=_NO_MODEL),
    ActionSpec("trash_model", "Delete", ("Shift+Del",), _MENU, tip="Delete the selected models", needs=_NO_MODEL),
    ActionSpec("open_model", "Open the model's folder", (), _MENU, tip="Open the chosen model's folder", needs=_NO_MODEL),
    ActionSpec("runs", "Runs", ("Ctrl+8",), "View", tip="What is being trained and what was, with its curves"),
    ActionSpec("models", "Models", ("Ctrl+9",), "View", tip="The trained models and what was measured of them"),
)  # fmt: skip


def workshop_handlers(workshop: Callable[[], Workshop]) -> dict[str, Callable[[], object]]:
    """What the actions do, but for the pages, to which the window goes. workshop: asked when one is done."""
    return {
        "play": lambda: workshop().ask_to_play(),
        "correct_model": lambda: workshop().ask_to_correct(),
        "start_training": lambda: workshop().train.begin(),
        "freeze_dataset": lambda: workshop().train.freeze_now(),
        "stop_run": lambda: workshop().runs.stop(),
        "resume_run": lambda: workshop().runs.resume(),
        "show_log": lambda: workshop().runs.panel.show_log(),
        "open_run": lambda: workshop().runs.open_folder(),
        "run_model": lambda: workshop().runs.open_model(),
        "model_card": lambda: workshop().models.open_card(),
        "measure_model": lambda: workshop().models.measure(),
        "label_by_idm": lambda: workshop().ask_to_label(),
        "compare_models": lambda: workshop().models.compare(),
        "rename_model": lambda: workshop().models.rename(),
        "trash_model": lambda: workshop().models.trash(),
        "open_model": lambda: workshop().models.open_folder(),
    }


class Workshop(QObject):
    """Owns these pages; part of a LibraryWindow. What it starts goes on when the window closes."""

    def __init__(self, window: LibraryWindow) -> None:
        super().__init__(window)
        self._window, self._store = window, window.store
        self._watch = RunWatch(window.store.runs_dir, self)
        self.train = TrainPage(window.store, window.actions_by_name)
        self.runs = RunsPage(window.store, window.actions_by_name)
        self.models = ModelsPage(window.store, window.actions_by_name)
        self.pages: dict[str, QWidget] = dict(zip(WORKSHOP_PAGES, (self.train, self.runs, self.models), strict=True))
        self.tasks = TaskBar()
        self._errand: Errand | None = None
        for source in (self.train, self.runs, self.tasks):
            source.told.connect(window.info.tell)
        self.models.told.connect(window.tell)
        self._watch.changed.connect(window.browse.show_runs)
        self._watch.changed.connect(self.runs.show_states)
        self._watch.start()
        self.train.wanted.connect(lambda options: self._start_training("pipeline", options))
        self.runs.resume_wanted.connect(self._resume)
        self.runs.model_wanted.connect(self._show_model)
        self.models.measure_wanted.connect(self._measure)
        self.models.compare_wanted.connect(self._compare)

    def look(self, page: str) -> None:
        """Follows tasks always, and brings the page that is shown up to date."""
        self.tasks.look()
        if page == "train":
            self.train.look()
        elif page == "runs":
            self.runs.look()
        elif page == "models":
            self.models.look()

    def focus(self, page: str) -> None:
        """Puts the keyboard where one begins."""
        {"train": self.train.bar.chips["game"], "runs": self.runs.list, "models": self.models.list}[page].setFocus()

    def ask_to_play(self) -> None:
        """Which policy, and in which window."""
        if policies := self._policies():
            dialog = PlayDialog(policies, self._window, self._chosen_model)
            self._open(dialog, lambda: self._window.start("play", "recorder.play", dialog.options()))

    def ask_to_correct(self) -> None:
        """Which policy goes on learning, and how long."""
        if policies := self._policies():
            dialog = CorrectDialog(policies, self._window, self._chosen_model)
            self._open(dialog, lambda: self._start_training("correct", dialog.options()))

    @property
    def _chosen_model(self) -> str:
        return self.models.current.id if self.models.current else ""

    def _policies(self) -> list[Trained]:
        policies = trained_models(self._store.models_dir, "policy")
        if not policies:
            self._window.info.tell("There is no policy yet; press Train and wait until one is done.")
        return policies

    def _open(self, dialog: QDialog, go: Callable[[], object]) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(go)
        dialog.open()

    def ask_to_label(self) -> None:
        """Which IDM, and which sessions."""
        idms = trained_models(self._store.models_dir, "idm")
        if not idms:
            self._window.info.tell("There is no IDM yet; press Train and wait until one is done.")
            return
        if self._errand is None:
            self._errand = Errand(self._store.root, lambda store, _: _unwatched(store), self)
            self._errand.ended.connect(lambda ids: self._offer_to_label(idms, ids))
            self._errand.failed.connect(self._window.info.tell)
            self._errand.finished.connect(self._on_finished)
            self._errand.start()

    def _offer_to_label(self, idms: Sequence[Trained], unwatched: Sequence[str]) -> None:
        window = self._window
        selected = [] if window.sessions.is_trash else window.sessions.selected
        dialog = LabelDialog(idms, selected, unwatched, window, self._chosen_model)
        self._open(dialog, lambda: self._label(dialog.options(), len(dialog.sessions.currentData())))

    def close_threads(self) -> None:
        self._watch.close()
        if self._errand is not None:
            self._errand.close()
        self.train.close_threads()
        self.models.close_threads()

    def _start_training(self, command: str, options: Sequence[str]) -> None:
        if self._window.start("training", "trainer", options, command) is not None:
            self._window.go("runs")
            self._window.info.tell("The training starts; its run appears here in a few seconds.")

    def _resume(self, run_id: str, options: Sequence[str]) -> None:
        job = self._window.start("training", "trainer", options[1:], options[0])
        if job is not None:
            self.runs.was_resumed(run_id, job)

    def _show_model(self, model_id: str) -> None:
        self._window.go("models")
        self.models.choose(model_id)

    def _measure(self, model_id: str) -> None:
        def show(answer: dict[str, object]) -> None:
            self.models.look()
            self._open_page(answer.get("card"))

        self._begin("evaluate", ["--model", model_id], f"Measuring {model_id} on what was held out…", show)

    def _compare(self, ids: Sequence[str]) -> None:
        page = self._store.cache_dir / "comparisons" / f"{'-'.join(ids)[:160]}.html"
        try:
            page.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._window.info.tell(str(from_os_error(error, page.parent)))
            return
        words = f"Comparing {len(ids)} models…"
        self._begin("compare", [*ids, "--out", str(page)], words, lambda answer: self._open_page(answer.get("path")))

    def _label(self, options: Sequence[str], count: int) -> None:
        words = f"Labelling {count} session{'s' * (count != 1)} by {options[1]}…"
        self._begin("label", [*options, "--person", self._window.person], words, self._on_labelled, count)

    def _begin(self, command: str, options: Sequence[str], words: str, then: Then, sessions: int = 1) -> None:
        if self.tasks.job is not None:
            self._window.info.tell("The trainer is at something already; wait for it or stop it.")
            return
        options = [command, "--library", str(self._store.root), "--json", *options]
        try:
            job = start_job(command, "trainer", options, self._store.cache_dir / "logs")
        except PlaytapeError as error:
            self._window.info.tell(str(error))
        else:
            self.tasks.begin(job, words, then, sessions)

    def _on_labelled(self, answer: dict[str, object]) -> None:
        refused = answer.get("refused")
        why = (
            f" {len(refused)} left out: {min(map(str, refused.values()))}"
            if isinstance(refused, dict) and refused
            else ""
        )
        self._window.info.tell(f"{answer.get('suggestions', 0)} suggestions wait in the annotator.{why}")
        self._window.sessions.refresh()

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None

    def _open_page(self, path: object) -> None:
        if isinstance(path, str) and (refused := show_outside(Path(path))):
            self._window.info.tell(refused)


def _unwatched(store: Store) -> list[str]:
    return [summary.id for summary in store.search() if _is_unwatched(summary)]


def _is_unwatched(summary: SessionSummary) -> bool:
    """Whether no inputs were recorded, as the trainer tells it from the verdict."""
    figures = summary.verdict.figures
    return figures is not None and figures.known_pct <= 0
