"""How far the library is: time recorded, labelled and accepted, in all and per game."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from annotator.ui.library.bars import Bar, Bars, time_words
from annotator.ui.theme import Theme
from db.library.statistics import GameProgress

MOST_GAMES = 5


class ProgressPanel(QWidget):
    """One stacked bar for all games and one for each of those with most time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.games: list[GameProgress] = []
        self.bars = Bars("Progress of the library")
        self.legend, self.more = QLabel(), QLabel()
        self.more.setForegroundRole(self.more.palette().ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.legend)
        layout.addWidget(self.bars)
        layout.addWidget(self.more)
        self._name_colours()

    def show_games(self, games: Sequence[GameProgress]) -> None:
        self.games = list(games)
        recorded = sum(game.recorded_s for game in games)
        labelled, accepted = sum(g.labelled_s for g in games), sum(g.accepted_s for g in games)
        bars = [_bar("All games", recorded, labelled, accepted)] if len(games) > 1 else []
        bars += [_bar(g.game, g.recorded_s, g.labelled_s, g.accepted_s) for g in games[:MOST_GAMES]]
        self.bars.show_bars(bars)
        rest = len(games) - MOST_GAMES
        more = f"and {rest} more game{'s' * (rest != 1)}; see Statistics" if rest > 0 else ""
        self.more.setText(more if games else "There is nothing here to label.")
        self.more.setVisible(rest > 0 or not games)
        self.legend.setVisible(bool(games))
        self.bars.setVisible(bool(games))

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange:
            self._name_colours()

    def _name_colours(self) -> None:
        theme = Theme.of(self.palette())
        words = ((theme.good, "accepted"), (theme.accent, "labelled"), (theme.line, "still to label"))
        self.legend.setText("  ".join(f'<span style="color:{colour}">■</span> {word}' for colour, word in words))


def game_bars(games: Sequence[GameProgress]) -> list[Bar]:
    """A bar for every game."""
    return [_bar(game.game, game.recorded_s, game.labelled_s, game.accepted_s) for game in games]


def _bar(name: str, recorded_s: float, labelled_s: float, accepted_s: float) -> Bar:
    whole = max(recorded_s, 1e-9)
    accepted, labelled = accepted_s / whole, labelled_s / whole
    figure = f"{time_words(recorded_s)} · {labelled:.0%} labelled · {accepted:.0%} accepted"
    return Bar(name, figure, ((accepted, "good"), (labelled - accepted, "accent")))
