"""What this person has recorded: watch it, label it, send it, take it back or delete it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

from PyQt6.QtCore import QEvent, QItemSelectionModel, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QStackedWidget, QTableView, QVBoxLayout, QWidget

from db.errors import NotFound
from db.library.catalogue import SessionSummary
from db.library.index import NAME as INDEX_NAME
from db.store import Store
from db.upkeep.withdrawal import sendings
from recorder.ui.errand import Errand
from recorder.ui.live.gauges import clock_text, size_text
from recorder.ui.own import session_deeds
from recorder.ui.own.session_actions import Deed, SessionActions
from recorder.ui.own.session_table import GAME, PICTURE, PICTURE_PX, WIDEST, Line, SessionTable
from recorder.ui.pictures import PictureMaker, Wish, session_folder
from recorder.ui.theme import Theme

_LOOK_MS = 1500
_BESIDE_TEXT_PX = 26
_KEPT_PX = PICTURE_PX * 2
"""Pictures are kept in the library's cache at this size, by the names that the annotator's list uses too."""


class OwnSessions(QWidget):
    """Reads the library in threads of its own and again whenever it has changed. The owner calls `close_threads`."""

    annotate = pyqtSignal(str)
    """The person wants to see this session in the annotator."""

    def __init__(self, library: Path, player: str) -> None:
        super().__init__()
        self._library, self._player = library, player
        self._seen: object = None
        self._reading: Errand | None = None
        self._doing: Errand | None = None
        self._asked_for: list[str] = []
        self._maker = PictureMaker()
        self._table = SessionTable(lambda: Theme.of(self.palette()), self._ask_picture)
        self._maker.news.made.connect(lambda session_id, _, picture, __: self._table.show_picture(session_id, picture))
        self._build()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def set_player(self, player: str) -> None:
        """Shows another person's sessions."""
        if player != self._player:
            self._player, self._seen = player, None
            self._look()

    def close_threads(self) -> None:
        """Ends what is in progress, cleanly, and joins."""
        self._timer.stop()
        for thread in (self._maker, self._reading, self._doing):
            if thread is not None:
                thread.close()

    @property
    def lines(self) -> list[Line]:
        """The sessions as they are shown, newest first."""
        return self._table.lines

    def selected(self) -> list[Line]:
        rows = sorted({index.row() for index in self.view.selectionModel().selectedRows(GAME)})
        return [self._table.lines[row] for row in rows]

    # What is in it

    def _build(self) -> None:
        self._total, self._notice = QLabel(), QLabel()
        self._total.setProperty("heading", True)
        self._notice.setWordWrap(True)
        self._notice.hide()
        self._notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.view = _View()
        self.view.setModel(self._table)
        self.view.entered.connect(self._open)
        self.view.doubleClicked.connect(self._open)
        self.view.deleted.connect(lambda: self._ask(Deed.DELETE))
        self.view.selectionModel().selectionChanged.connect(self._offer)
        _lay_out(self.view)
        self._empty = QLabel("Nothing recorded yet.\nYour sessions appear here as soon as they are stored.")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("dim", True)
        self._place = QStackedWidget()
        self._place.addWidget(self.view)
        self._place.addWidget(self._empty)
        self.actions = SessionActions()
        self.actions.opened.connect(self._open)
        self.actions.asked.connect(self._ask)
        self.actions.confirmed.connect(self._do)
        self.actions.cancelled.connect(lambda: self._doing and self._doing.cancel())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for widget in (self._total, self._place, self._notice, self.actions):
            column.addWidget(widget, int(widget is self._place))
        self._dress()
        self._show_lines([])

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._look()
        self._timer.start(_LOOK_MS)

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self._timer.stop()

    # What it shows

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._dress()

    def _dress(self) -> None:
        self.view.setStyleSheet(_sheet(Theme.of(self.palette())))

    def _look(self) -> None:
        """Reads the sessions again if the library has changed since."""
        if self._reading is not None:
            return
        now = _fingerprint(self._library)
        if now == self._seen:
            return
        self._seen = now
        library, player = self._library, self._player

        def read(progress: Callable[[float], None], cancelled: Event) -> list[Line]:
            try:
                with Store.open(library, create=False) as store:
                    sent = sendings(library)
                    return [Line(s, sent.get(s.id, ())) for s in store.search(player=player, withdrawn=True)]
            except NotFound:
                return []

        self._reading = Errand("own sessions", read)
        self._reading.news.ended.connect(self._have_read)
        self._reading.start()

    def _have_read(self, lines: list[Line] | None, problem: str) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
        if lines is None:
            self._say(problem, bad=True)
        else:
            self._show_lines(lines)

    def _show_lines(self, lines: list[Line]) -> None:
        chosen = {line.summary.id for line in self.selected()} if self._table.lines else set()
        if self._table.show_lines(lines):
            self._select(chosen)
        self._place.setCurrentIndex(int(not lines))
        hours = clock_text(round(sum(line.summary.duration_s for line in lines)))
        size = size_text(sum(line.summary.bytes for line in lines))
        self._total.setText(f"{_count(len(lines))}  ·  {hours}  ·  {size}" if lines else "")
        self._offer()

    def _select(self, ids: set[str]) -> None:
        """Selects these sessions' rows, or the first where none of them is there."""
        model, flag = self.view.selectionModel(), QItemSelectionModel.SelectionFlag
        rows = [row for row, line in enumerate(self.lines) if line.summary.id in ids] or [0] * bool(self.lines)
        for row in rows:
            model.select(self._table.index(row, GAME), flag.Select | flag.Rows)
        if rows:
            model.setCurrentIndex(self._table.index(rows[0], GAME), flag.NoUpdate)

    def _offer(self) -> None:
        chosen = self.selected()
        kept = bool(chosen) and all(line.summary.withdrawn_at is None for line in chosen)
        size = size_text(sum(line.summary.bytes for line in chosen))
        text = f"{_count(len(chosen))} chosen  ·  {size}" if len(chosen) > 1 else ""
        if self.actions.asking and [line.summary.id for line in chosen] != self._asked_for:
            self.actions.back()
        self.actions.offer(text, open_=len(chosen) == 1, send=kept, withdraw=kept, delete=bool(chosen))

    def _ask_picture(self, summary: SessionSummary) -> None:
        cached = self._library / "cache" / "thumbnails" / f"{summary.id}-{summary.revision}.jpg"
        folder = session_folder(self._library, summary.id)
        self._maker.want(Wish(summary.id, folder, (1 / 3,), _KEPT_PX, cached))

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._notice.setText(text)
        self._notice.setStyleSheet(f"color: {Theme.of(self.palette()).bad};" if bad else "")
        self._notice.setVisible(bool(text))

    # What it does

    def _open(self, *_: object) -> None:
        chosen = self.selected()
        if len(chosen) == 1:
            self.annotate.emit(chosen[0].summary.id)

    def _ask(self, deed: Deed) -> None:
        chosen = self.selected()
        if self._doing is None and chosen:
            self._asked_for = [line.summary.id for line in chosen]
            question = session_deeds.question(deed, chosen)
            self.actions.ask(deed, question, folder=session_deeds.writes(deed, chosen))
            self._say("")

    def _do(self, deed: Deed, folder: str) -> None:
        chosen, library = self.selected(), self._library
        work = session_deeds.work(deed, library, chosen, Path(folder).expanduser() if folder else None)
        self._doing = Errand(deed.name.lower(), work)
        self._doing.news.progressed.connect(self.actions.advance)
        self._doing.news.ended.connect(self._done)
        self.actions.show_progress(session_deeds.doing(deed, len(chosen)))
        self._doing.start()

    def _done(self, told: str | None, problem: str) -> None:
        if self._doing is not None:
            self._doing.close()
            self._doing = None
        self.actions.back()
        self._say(problem or told or "", bad=told is None)
        self._seen = None
        self._look()
        self.view.setFocus()


class _View(QTableView):
    """Rows only; Enter and Del as signals."""

    entered = pyqtSignal()
    deleted = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif event is not None and event.key() == Qt.Key.Key_Delete:
            self.deleted.emit()
        else:
            super().keyPressEvent(event)


def _lay_out(view: QTableView) -> None:
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setTabKeyNavigation(False)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setIconSize(PICTURE_PX)
    view.setAccessibleName("My sessions")
    rows, columns = view.verticalHeader(), view.horizontalHeader()
    rows.hide()
    rows.setDefaultSectionSize(PICTURE_PX.height() + 12)
    columns.setHighlightSections(False)
    columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    columns.setSectionResizeMode(GAME, QHeaderView.ResizeMode.Stretch)
    for column, longest in WIDEST.items():  # measuring every row would hold the window up where there are thousands
        view.setColumnWidth(column, view.fontMetrics().horizontalAdvance(longest) + _BESIDE_TEXT_PX)
    view.setColumnWidth(PICTURE, PICTURE_PX.width() + _BESIDE_TEXT_PX)


def _sheet(t: Theme) -> str:
    return f"""
    QTableView {{ background: {t.panel}; border: 1px solid {t.line}; border-radius: 8px; padding: 4px; outline: 0;
        selection-background-color: {t.raised}; selection-color: {t.text}; }}
    QTableView::item {{ padding: 0 10px; border: 0; border-bottom: 1px solid {t.raised}; }}
    QTableView::item:selected {{ background: {t.raised}; color: {t.text}; }}
    QHeaderView {{ background: transparent; border: 0; }}
    QHeaderView::section {{ background: transparent; border: 0; border-bottom: 1px solid {t.line}; color: {t.dim};
        padding: 8px 10px; font-weight: 600; }}
    """


def _count(number: int) -> str:
    return f"{number} session{'s' * (number != 1)}"


def _fingerprint(library: Path) -> tuple[object, ...]:
    """Changes whenever the index does. An empty log says nothing: every reader makes and removes one."""
    found: list[object] = []
    for name in (INDEX_NAME, f"{INDEX_NAME}-wal", "sent.json"):
        try:
            state = (library / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((state.st_mtime_ns, state.st_size) if state.st_size else None)
    return tuple(found)
