"""A picture of what a dataset holds: how it is split, whose play it is, and how often each key is pressed."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from annotator.model.library.contents import Contents
from annotator.ui.library.bars import Bar, Bars, time_words
from annotator.ui.library.browse_page import heading
from annotator.ui.theme import Theme

MOST_ROWS, MOST_KEYS = 6, 24
_COLOURS = ("accent", "warn", "good")
_WORDS = ("to train on", "to tune on", "held out to measure")


class DatasetPicture(QWidget):
    """`show_contents` shows what is in it; `wait` keeps what is shown, dimmed, while it is counted anew."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.contents = Contents()
        self.problem, self.warnings, self.facts, self.legend = QLabel(), QLabel(), QLabel(), QLabel()
        for label in (self.problem, self.warnings, self.facts):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.facts.setForegroundRole(self.facts.palette().ColorRole.PlaceholderText)
        self.splits, self.games = Bars("How it is split"), Bars("Time per game")
        self.players, self.keys = Bars("Time per player"), Bars("Presses of each key")
        self._heads = {bars: heading(words) for bars, words in (
            (self.splits, "Split"), (self.games, "Games"), (self.players, "Players"), (self.keys, "Keys: presses"),
        )}  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.problem)
        layout.addWidget(self.warnings)
        layout.addWidget(self.facts)
        layout.addSpacing(8)
        for bars, head in self._heads.items():
            layout.addWidget(head)
            if bars is self.splits:
                layout.addWidget(self.legend)
            layout.addWidget(bars)
            layout.addSpacing(8)
        self.show_contents(self.contents)

    def wait(self) -> None:
        self.setEnabled(False)

    def show_contents(self, contents: Contents) -> None:
        self.contents = contents
        self.setEnabled(True)
        theme = Theme.of(self.palette())
        words = zip(_COLOURS, _WORDS, strict=True)
        self.legend.setText("  ".join(f'<span style="color:{getattr(theme, c)}">■</span> {word}' for c, word in words))
        self.problem.setText(contents.problem)
        self.problem.setStyleSheet(f"color: {theme.bad}")
        self.problem.setVisible(bool(contents.problem))
        self.warnings.setTextFormat(Qt.TextFormat.PlainText)
        self.warnings.setText("\n".join(f"⚠ {warning}" for warning in contents.warnings))
        self.warnings.setStyleSheet(f"color: {theme.warn}")
        self.warnings.setVisible(bool(contents.warnings))
        self.facts.setText(_facts(contents))
        self.facts.setVisible(bool(self.facts.text()))
        is_split = any(contents.splits)
        self._show(self.splits, [_split_bar(contents)] if is_split else [])
        self.legend.setVisible(is_split)
        self._show(self.games, _hour_bars(contents.games))
        self._show(self.players, _hour_bars(contents.players))
        self._show(self.keys, _key_bars(contents))

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange:
            self.show_contents(self.contents)

    def _show(self, bars: Bars, rows: list[Bar]) -> None:
        bars.show_bars(rows)
        bars.setVisible(bool(rows))
        self._heads[bars].setVisible(bool(rows))


def _facts(contents: Contents) -> str:
    parts = []
    if contents.told_share is not None and contents.sessions:
        parts.append(f"{contents.told_share:.0%} of the time has an instruction.")
    if contents.videos:
        parts.append(
            f"{contents.videos} session{'s' * (contents.videos != 1)} without inputs, "
            f"{time_words(contents.video_hours * 3600)}: with both models the IDM says what was pressed there."
        )
    if contents.imputed_hours:
        parts.append(f"{time_words(contents.imputed_hours * 3600)} more were imputed by an IDM.")
    return " ".join(parts)


def _split_bar(contents: Contents) -> Bar:
    whole = max(sum(contents.hours), 1e-9)
    told = " · ".join(
        f"{time_words(hours * 3600)} in {count}" for hours, count in zip(contents.hours, contents.splits, strict=True)
    )
    shares = tuple((hours / whole, colour) for hours, colour in zip(contents.hours, _COLOURS, strict=True))
    return Bar(f"{contents.sessions} session{'s' * (contents.sessions != 1)}", told, shares)


def _hour_bars(hours: tuple[tuple[str, float], ...]) -> list[Bar]:
    whole = max(sum(value for _, value in hours), 1e-9)
    ordered = sorted(hours, key=lambda entry: -entry[1])
    rows = [
        Bar(name or "(no name)", f"{time_words(value * 3600)} · {value / whole:.0%}", ((value / whole, "accent"),))
        for name, value in ordered[:MOST_ROWS]
    ]
    rest = sum(value for _, value in ordered[MOST_ROWS:])
    if rest:
        more = f"{len(ordered) - MOST_ROWS} more"
        rows.append(Bar(more, f"{time_words(rest * 3600)} · {rest / whole:.0%}", ((rest / whole, "dim"),)))
    return rows


def _key_bars(contents: Contents) -> list[Bar]:
    most = max((sum(key.presses) for key in contents.keys), default=0) or 1
    rows = [
        Bar(
            key.name,
            f"{sum(key.presses):,} · down {key.share:.1%} of the time",
            tuple((count / most, colour) for count, colour in zip(key.presses, _COLOURS, strict=True)),
        )
        for key in contents.keys[:MOST_KEYS]
    ]
    rest = contents.keys[MOST_KEYS:]
    if rest:
        count = sum(sum(key.presses) for key in rest)
        rows.append(Bar(f"{len(rest)} more keys", f"{count:,}", ((min(count / most, 1.0), "dim"),)))
    return rows
