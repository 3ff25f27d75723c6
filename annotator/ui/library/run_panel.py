"""One run: what it is doing, its curves, its stages, its log, and what can be done to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from PyQt6.QtGui import QAction, QColor
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from annotator.model.library.runs import RunState, read_log
from annotator.ui.flow_layout import FlowLayout
from annotator.ui.keys.controls import follow
from annotator.ui.library.browse_page import heading
from annotator.ui.library.curve_chart import CurveChart, CurveSpec
from annotator.ui.library.run_list import facts_text, state_colour
from annotator.ui.notices import Chip
from annotator.ui.theme import Theme

RUN_BUTTONS = ("stop_run", "resume_run", "show_log", "open_run", "run_model")
_STAGE_WORDS = {
    "dataset": "Freeze the dataset", "idm": "Train the IDM", "label": "Say what was pressed in videos",
    "pretrain": "Train the policy, first stage", "finetune": "Train the policy", "evaluate": "Measure on what was held out",
}  # fmt: skip
_MARKS = {"done": "✓", "running": "▸", "left out": "–", "waiting": "·"}
_METRICS = (
    ("macro_ap", "macro AP", "accent"),
    ("onset_f1_1", "onset F1, ±1 frame", "good"),
    ("dx_r2", "mouse R², across", "warn"),
    ("dy_r2", "mouse R², down", "key"),
)


class RunPanel(QWidget):
    """Shows a RunState; of a pipeline the curves of the training that it is at, or was at last."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state: RunState | None = None
        self._runs_dir = Path()
        self.title, self.chip, self.facts, self.stages = QLabel(), Chip(), QLabel(), QLabel()
        self.bar = QProgressBar()
        self.bar.setMaximum(1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far the run is")
        self.loss, self.metrics = CurveChart("Loss"), CurveChart("Measured on the calibration split")
        self.loss_head, self.metrics_head = heading("Loss"), heading("Measured while it trains")
        self.loss_legend, self.metrics_legend = QLabel(), QLabel()
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setAccessibleName("Log of the run")
        self.log.setToolTip("What the run said, the newest last")
        self.log.setTabChangesFocus(True)
        self.log.setMinimumHeight(140)
        self.log.hide()
        self._arrange(actions)

    def _arrange(self, actions: Mapping[str, QAction]) -> None:
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        self.title.setFont(font)
        self.facts.setWordWrap(True)
        for legend in (self.facts, self.loss_legend, self.metrics_legend):
            legend.setForegroundRole(legend.palette().ColorRole.PlaceholderText)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.chip)
        buttons = QWidget()
        row = FlowLayout(buttons, 8, first_grows=False)
        for name in RUN_BUTTONS:
            button = QPushButton(actions[name].text())
            button.setMinimumHeight(32)
            follow(button, actions[name])
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.facts)
        column.addWidget(self.bar)
        column.addWidget(buttons)
        for widget in (
            self.stages, self.loss_head, self.loss_legend, self.loss, self.metrics_head, self.metrics_legend, self.metrics,
        ):  # fmt: skip
            column.addWidget(widget)
        column.addWidget(self.log, 1)
        column.addStretch()

    def show_state(self, state: RunState, curves: RunState, runs_dir: Path) -> None:
        """curves: the run whose curves are shown."""
        self.state, self._runs_dir = state, runs_dir
        theme = Theme.of(self.palette())
        self.title.setText(state.title)
        self.title.setToolTip(state.id)
        self.chip.tell(state.phase, QColor(state_colour(state, theme)))
        self.facts.setText(_facts(state))
        self.bar.setValue(round(1000 * state.share))
        self.stages.setText("\n".join(_stage_line(stage) for stage in state.stages))
        self.stages.setVisible(bool(state.stages))
        figures = dict(curves.figures)
        loss = [CurveSpec("training", curves.curve, "accent", is_smooth=True)]
        loss.append(CurveSpec("calibration split", figures.get("val_loss", ()), "warn"))
        measured = [CurveSpec(words, figures.get(name, ()), colour) for name, words, colour in _METRICS]
        whose = f" · {curves.title}" if curves.id != state.id else ""
        self.loss_head.setText(f"Loss{whose}")
        self.metrics_head.setText(f"Measured while it trains{whose}")
        parts = (
            (self.loss, self.loss_head, self.loss_legend, loss),
            (self.metrics, self.metrics_head, self.metrics_legend, measured),
        )
        for chart, head, legend, specs in parts:
            specs = [spec for spec in specs if len(spec.points) > (1 if spec.is_smooth else 0)]
            chart.show_curves(specs, curves.steps)
            legend.setText(_legend(specs, theme))
            for widget in (chart, head, legend):
                widget.setVisible(bool(specs))
        if self.log.isVisible():
            self._read_log()

    def show_log(self) -> None:
        """Shows the log, or puts it away."""
        self.log.setVisible(not self.log.isVisible())
        if self.log.isVisible():
            self._read_log()
            self.log.setFocus()

    @property
    def folder(self) -> Path | None:
        """The run's."""
        return self._runs_dir / self.state.id if self.state is not None else None

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange and self.state is not None:
            theme = Theme.of(self.palette())
            self.chip.tell(self.state.phase, QColor(state_colour(self.state, theme)))
            for chart, legend in ((self.loss, self.loss_legend), (self.metrics, self.metrics_legend)):
                legend.setText(_legend(chart.series, theme))

    def _read_log(self) -> None:
        if self.state is None:
            return
        text = read_log(self._runs_dir / self.state.id) or "It has said nothing yet."
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            bar = self.log.verticalScrollBar()
            assert bar is not None
            bar.setValue(bar.maximum())


def _facts(state: RunState) -> str:
    if state.phase == "crashed":
        said = "It stopped without a word: its process is gone, or its machine was switched off. Resume goes on from its last save."
        return said if state.can_resume else said.partition(" Resume")[0] + " It had saved nothing yet; train anew."
    lines = [facts_text(state)]
    about = [f"configuration {state.config}"] if state.config else []
    about += [f"dataset {state.dataset}"] if state.dataset else []
    about += [f"last word {datetime.fromtimestamp(state.t_s):%d %b %H:%M:%S}"] if state.t_s else []
    return "\n".join([*lines, " · ".join(about)]).strip()


def _stage_line(stage) -> str:
    note = f": {stage.note}" if stage.note else ""
    return f"{_MARKS.get(stage.state, '·')} {_STAGE_WORDS.get(stage.name, stage.name)}{note}"


def _legend(series, theme: Theme) -> str:
    return "  ".join(f'<span style="color:{getattr(theme, one.colour)}">■</span> {one.name}' for one in series)
