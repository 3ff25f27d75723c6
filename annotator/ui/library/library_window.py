"""The library's window, everybody's home: the sessions, and from here one records, labels, trains and plays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from annotator.bulk import Deed
from annotator.jobs import Job, start_job
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.desktop import fit_to_screen, shown_path
from annotator.ui.flow_layout import FlowLayout
from annotator.ui.keys.controls import follow
from annotator.ui.keys.feel import feel_handlers
from annotator.ui.keys.key_sheet import KeySheet
from annotator.ui.keys.window_actions import fill_menus, make_actions
from annotator.ui.library.bars import time_words
from annotator.ui.library.browse_page import BrowsePage
from annotator.ui.library.exchange import Exchange, exchange_handlers
from annotator.ui.library.library_actions import LIBRARY_TABLE
from annotator.ui.library.selection_bar import WORDED
from annotator.ui.library.statistics_page import StatisticsPage
from annotator.ui.library.storage_page import StoragePage
from annotator.ui.library.team import TEAM_PAGES, Team, team_handlers
from annotator.ui.library.vision_job import VisionJob, vision_handlers
from annotator.ui.library.workshop import WORKSHOP_PAGES, Workshop, workshop_handlers
from annotator.ui.notices import EmptyPage, InfoBar
from annotator.ui.placement import Placement
from annotator.ui.sessions.searcher import Found
from db.errors import PlaytapeError
from db.store import Store
from db.upkeep import pointer
from db.upkeep.presence import open_elsewhere

POLL_MS = 1000
UNDO_MS = 30_000
PAGES = ("sessions", "trash", "statistics", "storage", *TEAM_PAGES, *WORKSHOP_PAGES)


class LibraryWindow(QMainWindow):
    """One page at a time: sessions, trash, statistics, storage. Jobs go on when it closes."""

    def __init__(self, store: Store, person: str) -> None:
        super().__init__()
        self.store, self.person = store, person
        self.jobs: list[Job] = []
        self.annotator: AnnotateWindow | None = None
        self.page = "sessions"
        self.moved_to: Path | None = None
        """The folder that the library is in when it was moved from this window, which is closed then."""
        self.setWindowTitle("Playtape")
        fit_to_screen(self, 1280, 800)
        self.actions_by_name = make_actions(self, LIBRARY_TABLE, self._handlers())
        fill_menus(self.menuBar(), LIBRARY_TABLE, self.actions_by_name)
        self.info = InfoBar()
        self.browse = BrowsePage(store, person, self.actions_by_name)
        self.sessions, self.card = self.browse.sessions, self.browse.card
        self.runs, self.no_runs = self.browse.runs, self.browse.no_runs
        self.statistics, self.storage = StatisticsPage(store.root), StoragePage(store.root, person)
        self.team = Team(self)
        self.workshop = Workshop(self)
        self.exchange = Exchange(self)
        self.vision = VisionJob(self)
        self.empty = EmptyPage("", "")
        self.record = self._button("record", primary=True)
        self.label = self._button("label")
        self.next = self._button("next")
        self.train = self._button("train")
        self.play = self._button("play")
        self._arrange()
        self.placement = Placement("library", self)
        self.sessions.view.doubleClicked.connect(lambda _: self.open_annotator())
        self.sessions.searched.connect(self._on_searched)
        self.browse.told.connect(self.tell)
        self.browse.brought.connect(self._on_brought)
        self.team.review.told.connect(self.tell)
        self.storage.told.connect(self.info.tell)
        self.storage.move_panel.begun.connect(lambda: self.annotator and self.annotator.close())
        self.storage.move_panel.moved.connect(self._on_moved)
        self.storage.move_panel.tidy()
        self.statistics.told.connect(self.info.tell)
        self._poll = QTimer(self)
        self._poll.timeout.connect(self.look)
        self._poll.start(POLL_MS)
        self.look()
        self.storage.keep_quota()
        self.sessions.view.setFocus()
        self.placement.restore()

    def _handlers(self) -> dict[str, Callable[[], object]]:
        """What each action of the table does."""
        return {
            "record": self.start_recorder,
            "label": self.open_annotator,
            "next": self.label_next,
            "find": self._find,
            "clear_filters": lambda: self.browse.bar.clear(),
            "sample": lambda: self.browse.bring_sample(),
            "save_search": lambda: self.browse.saved.ask(),
            "undo": lambda: self.browse.undo(),
            "keys": lambda: KeySheet(LIBRARY_TABLE, self).open(),
            "close": self.close,
            **exchange_handlers(lambda: self.exchange),
            **vision_handlers(lambda: self.vision),
            **team_handlers(lambda: self.team),
            **workshop_handlers(lambda: self.workshop),
            **feel_handlers(self, lambda: LIBRARY_TABLE),
            **{name: lambda name=name: self.go(name) for name in PAGES},
            **{
                deed.name: lambda deed=deed: self.browse.ask(deed) if deed in WORDED else self.browse.do(deed)
                for deed in Deed
            },
        }

    def _button(self, name: str, *, primary: bool = False) -> QPushButton:
        action = self.actions_by_name[name]
        button = QPushButton(action.text())
        button.setProperty("primary", primary)
        button.setMinimumSize(64, 32)
        follow(button, action)
        return button

    def _arrange(self) -> None:
        title = QLabel("Library")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setBold(True)
        title.setFont(font)
        self.count = QLabel()
        self.count.setForegroundRole(self.count.palette().ColorRole.PlaceholderText)
        self.count.setMinimumWidth(1)  # a long path is cut off rather than widening the window
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(title)
        names.addWidget(self.count)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addLayout(names, 1)
        for button in (self.record, self.label, self.next, self.train, self.play):
            top.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.tabs = QButtonGroup(self)
        tabs = QWidget()
        row = FlowLayout(tabs, first_grows=False)
        for name in PAGES:
            action, tab = self.actions_by_name[name], QToolButton()
            tab.setText(action.text())
            tab.setCheckable(True)
            tab.setMinimumHeight(28)
            tab.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            follow(tab, action)
            self.tabs.addButton(tab, PAGES.index(name))
            row.addWidget(tab)
        self.tabs.button(0).setChecked(True)
        self.pages = QStackedWidget()
        for page in (
            self.browse,
            self.empty,
            self.statistics,
            self.storage,
            *self.team.pages.values(),
            *self.workshop.pages.values(),
        ):
            self.pages.addWidget(page)
        self.pages.currentChanged.connect(lambda _: self.browse.judge())
        self.empty.say(
            "Nothing recorded yet",
            "Press Record, choose your game's window and play. What you record appears here by itself. "
            "Import brings in recordings of other tools and from other machines.",
        )
        self.empty.add_button("Record").clicked.connect(self.start_recorder)
        for words, name in (("Import…", "import"), ("Look at a sample", "sample")):
            follow(self.empty.add_button(words), self.actions_by_name[name])
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(20, 16, 20, 16)
        outer.setSpacing(12)
        outer.addLayout(top)
        outer.addWidget(tabs)
        outer.addWidget(self.info)
        outer.addWidget(self.vision.bar)
        outer.addWidget(self.workshop.tasks)
        outer.addWidget(self.pages, 1)
        self.setCentralWidget(whole)

    # What one can do

    def go(self, name: str) -> None:
        """Shows one of PAGES."""
        self.page = name
        self.tabs.button(PAGES.index(name)).setChecked(True)
        self.browse.show_trash(name == "trash")
        if name in ("sessions", "trash"):
            self.pages.setCurrentWidget(self.browse)
            self.sessions.view.setFocus()
            self.sessions.refresh()
        else:
            own = {"statistics": self.statistics, "storage": self.storage}
            self.pages.setCurrentWidget((own | self.team.pages | self.workshop.pages)[name])
            own[name].look() if name in own else self.team.look(name)
            if name in WORKSHOP_PAGES:
                self.workshop.focus(name)
                self.workshop.look(name)

    def start_recorder(self) -> None:
        self.start("recorder", "recorder", ["--player", self.person])

    def show_annotator(self) -> AnnotateWindow:
        """The annotator's window in front; one window for all."""
        if self.annotator is None:
            self.annotator = AnnotateWindow(self.store, self.person)
            self.annotator.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.annotator.destroyed.connect(self._forget_annotator)
        self.annotator.show()
        self.annotator.raise_()
        self.annotator.activateWindow()
        return self.annotator

    def open_annotator(self, session_id: str = "") -> None:
        """The annotator's window on this or the chosen session."""
        annotator = self.show_annotator()
        annotator.reviewing.end()
        if wanted := session_id or self.sessions.current:
            annotator.open_session(wanted)

    def label_next(self) -> None:
        """Opens the next session that waits for labels, of those in the list."""
        editing = self.annotator.editing if self.annotator is not None else None
        session_id = (
            "" if self.sessions.is_trash else self.browse.next_unlabelled(editing.session_id if editing else "")
        )
        if not session_id:
            self.info.tell("No session in the list waits for labels.")
            return
        self.sessions.show_current(session_id)
        self.open_annotator(session_id)

    def _find(self) -> None:
        if self.page not in ("sessions", "trash"):
            self.go("sessions")
        self.sessions.filter.setFocus()
        self.sessions.filter.selectAll()

    def start(self, name: str, module: str, options: Sequence[str], command: str = "") -> Job | None:
        """Starts a program of Playtape on this library; None where it cannot be, which is told. command: of the program."""
        words = [*([command] if command else []), "--library", str(self.store.root), *options]
        try:
            job = start_job(name, module, words, self.store.cache_dir / "logs")
        except PlaytapeError as error:
            self.info.tell(str(error))
            return None
        self.jobs.append(job)
        return job

    def tell(self, text: str, word: str = "", call: Callable[[], object] | None = None) -> None:
        """A sentence, and what can be done about it."""
        if call is None:
            self.info.tell(text)
        else:
            self.info.offer(text, word, call, UNDO_MS)

    # What is going on

    def look(self) -> None:
        """Hears of jobs that ended badly."""
        self.workshop.look(self.page)
        for job in [job for job in self.jobs if job.has_ended]:
            self.jobs.remove(job)
            if job.error:
                self.info.tell(f"{job.name.capitalize()}: {job.error}")
        if self.page == "statistics":
            self.statistics.look()
        self.team.look(self.page)
        self.sessions.mark_open(open_elsewhere(self.store.cache_dir, self.person))
        self._look_where()

    def _look_where(self) -> None:
        """Somebody else may have moved the library; said for as long as this window shows what is no longer there."""
        with suppress(PlaytapeError):  # a disk that is away now, or a move that goes on: nothing to go to yet
            folder = pointer.follow(self.store.root)
            if folder.resolve() != self.store.root.resolve() and self.moved_to is None and not self.info.isVisible():
                text = f"The library was moved to {folder}; here nothing can be changed any more."
                self.info.offer(text, "Open it there", lambda: self._on_moved(folder), UNDO_MS)

    def _on_searched(self, found: Found) -> None:
        is_empty = self.page == "sessions" and not found.facets.games
        if self.page in ("sessions", "trash"):
            self.pages.setCurrentWidget(self.empty if is_empty else self.browse)
        count = sum(game.sessions for game in found.games)
        recorded = time_words(sum(game.recorded_s for game in found.games))
        facts = f"{count:,} session{'s' * (count != 1)}, {recorded} · " if count else ""
        self.count.setText(facts + shown_path(self.store.root))
        self.count.setToolTip(str(self.store.root))
        has_some = bool(found.listing.ids) and not found.query.wanted.trashed
        for name in ("label", "next"):
            self.actions_by_name[name].setEnabled(has_some)

    def _on_moved(self, folder: Path) -> None:
        self.moved_to = folder
        self.close()

    def _on_brought(self, session_id: str) -> None:
        """Opens the sample, which stands in the list from now on."""
        self.go("sessions")
        self.sessions.show_current(session_id)
        self.open_annotator(session_id)

    def show_conflicts(self, session_id: str) -> None:
        self.open_annotator(session_id)
        if self.annotator is not None:
            self.annotator.together.settle_in(session_id)

    def _forget_annotator(self) -> None:
        self.annotator = None

    def closeEvent(self, event: QCloseEvent) -> None:
        """Jobs go on; the annotator's window closes with its work committed."""
        if self.moved_to is None and self.exchange.asks_to_stay():
            event.ignore()
            return
        self.placement.store()
        self._poll.stop()
        self.browse.close_threads()
        self.statistics.close_threads()
        self.storage.close_threads()
        self.team.close_threads()
        self.workshop.close_threads()
        self.exchange.close_threads()
        self.vision.close()
        if self.annotator is not None:
            self.annotator.close()
        event.accept()
