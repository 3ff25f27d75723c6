"""Every run of the library, also those started elsewhere: what each is doing, and the chosen one with its curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PyQt6.QtCore import QItemSelectionModel, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from annotator.jobs import Job
from annotator.model.library.runs import RunState, ask_to_stop
from annotator.ui.library.run_list import STATE_ROLE, RunList
from annotator.ui.library.run_panel import RUN_BUTTONS, RunPanel
from annotator.ui.notices import EmptyPage
from annotator.ui.outside import show_outside
from annotator.ui.scroll_column import ScrollColumn
from db.errors import PlaytapeError
from db.store import Store


class RunsPage(QWidget):
    """`show_states` brings it up to date. Runs go on when the window closes."""

    told = pyqtSignal(str)
    resume_wanted = pyqtSignal(str, object)
    """(run id, options of playtape-train)."""
    model_wanted = pyqtSignal(str)

    def __init__(self, store: Store, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._actions = {name: actions[name] for name in RUN_BUTTONS}
        self._states: dict[str, RunState] = {}
        self._resumed: dict[str, Job] = {}
        self._told: list[RunState] = []
        self.list, self.panel = RunList(), RunPanel(actions)
        self.list.setSelectionMode(RunList.SelectionMode.SingleSelection)
        self.list.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.empty = EmptyPage(
            "Nothing has been trained yet",
            "Choose what to train and press Start training; the run appears here by itself.",
        )
        self.empty.add_button("Train", "Choose what to train").clicked.connect(actions["train"].trigger)
        body = QSplitter(Qt.Orientation.Horizontal)
        body.addWidget(self.list)
        body.addWidget(ScrollColumn(self.panel))
        body.setSizes([400, 700])
        body.setStretchFactor(1, 1)
        body.setChildrenCollapsible(False)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        selection = self.list.selectionModel()
        assert selection is not None
        selection.currentChanged.connect(lambda *_: self._show_current())
        self._judge(None)

    @property
    def current(self) -> RunState | None:
        index = self.list.currentIndex()
        state: RunState | None = index.data(STATE_ROLE) if index.isValid() else None
        return state

    def show_states(self, states: list[RunState]) -> None:
        """Becomes this; a run that came since the last time is chosen."""
        self._told = states
        states = [self._as_resumed(state) for state in states]
        fresh = [state.id for state in states if state.id not in self._states and not state.part_of]
        had_some, chosen = bool(self._states), self.current
        self._states = {state.id: state for state in states}
        self.list.runs.refresh(states)
        self._pages.setCurrentIndex(1 if states else 0)
        if fresh and (had_some or self.current is None):
            self.choose(fresh[0])
        elif chosen is not None and chosen.id in self._states:
            self.choose(chosen.id)  # wherever it has moved to
        elif states:
            self.choose(states[0].id)
        self._show_current()

    def choose(self, run_id: str) -> None:
        model = self.list.runs
        for row, state in enumerate(model.states):
            if state.id == run_id:
                selection = self.list.selectionModel()
                assert selection is not None
                flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
                selection.setCurrentIndex(model.index(row), flags)

    def open_folder(self) -> None:
        if (folder := self.panel.folder) is not None and (refused := show_outside(folder)):
            self.told.emit(refused)

    def stop(self) -> None:
        """Asks the chosen run to save and end."""
        state = self.current
        if state is None or not state.is_live:
            return
        try:
            ask_to_stop(self._store.runs_dir / state.id)
        except PlaytapeError as error:
            self.told.emit(str(error))
        else:
            self.told.emit(f"{state.title} saves and stops; Resume goes on from there.")

    def resume(self) -> None:
        """Goes on with the chosen run."""
        state = self.current
        if state is not None and state.can_resume:
            self.resume_wanted.emit(state.id, [state.kind, "--resume", state.id])

    def was_resumed(self, run_id: str, job: Job) -> None:
        """Until it speaks again it is shown as starting."""
        self._resumed[run_id] = job
        self.look()

    def look(self) -> None:
        """Shows again what is known; for when only time has passed."""
        self.show_states(self._told)

    def open_model(self) -> None:
        state = self.current
        if state is not None and self._model_of(state):
            self.model_wanted.emit(self._model_of(state))

    def _as_resumed(self, state: RunState) -> RunState:
        job = self._resumed.get(state.id)
        if job is None:
            return state
        if state.is_live or job.has_ended:
            del self._resumed[state.id]
            return state
        return replace(state, phase="starting", can_resume=False)

    def _show_current(self) -> None:
        state = self.current
        if state is not None:
            self.panel.show_state(state, self._curves_of(state), self._store.runs_dir)
        self._judge(state)

    def _curves_of(self, state: RunState) -> RunState:
        """Of a pipeline: its newest stage that has trained."""
        runs = [self._states[stage.run] for stage in state.stages if stage.run in self._states]
        trained = [run for run in runs if run.curve]
        return trained[-1] if trained else state

    def _model_of(self, state: RunState) -> str:
        runs = [state, *(self._states[stage.run] for stage in reversed(state.stages) if stage.run in self._states)]
        made = [run.model for run in runs if run.model]
        return made[0] if made else ""

    def _judge(self, state: RunState | None) -> None:
        can = {
            "stop_run": state is not None and state.is_live and state.phase != "stopping",
            "resume_run": state is not None and state.can_resume,
            "show_log": state is not None,
            "open_run": state is not None,
            "run_model": state is not None and bool(self._model_of(state)),
        }
        for name, action in self._actions.items():
            action.setEnabled(can[name])
