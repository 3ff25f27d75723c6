"""The sessions as a queue: filters above, the list with what can be done to its selection, the chosen one beside it."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QApplication, QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from annotator.bulk import Deed, Outcome, do, done_before, undo
from annotator.model.library.runs import RunState
from annotator.sample import bring_sample
from annotator.ui.errand import Errand
from annotator.ui.keys.bindings import with_keys
from annotator.ui.keys.controls import tell_filter_keys, tell_keys
from annotator.ui.library.bars import byte_words
from annotator.ui.library.filter_bar import FilterBar
from annotator.ui.library.progress_panel import ProgressPanel
from annotator.ui.library.run_list import RunList
from annotator.ui.library.saved_searches import SavedSearches, SearchMemory
from annotator.ui.library.selection_bar import SelectionBar
from annotator.ui.library.session_card import SessionCard
from annotator.ui.notices import EmptyPage
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.sessions.key_usage import KeyUsage
from annotator.ui.sessions.searcher import Found
from annotator.ui.sessions.session_list import SessionList
from db.library.facets import Facets
from db.store import Store
from db.upkeep.emptying import Emptied, empty_trash

LIST, NOTHING = 0, 1
_NOTHING_DONE = "Take back what was done last to many sessions"


class BrowsePage(QWidget):
    """Shows the sessions, or the trash. One thing is done to many sessions at a time, in a thread."""

    told = pyqtSignal(str, str, object)
    """(sentence, word on its button, what the button does) for the window's notice."""

    brought = pyqtSignal(str)
    """The session that was imported."""

    def __init__(
        self, store: Store, person: str, actions: Mapping[str, QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._person = store, person
        self._facets = Facets()
        self._errand: Errand | None = None
        self._done: list[Outcome] = []
        self.bar = FilterBar(person=person)
        clearing = actions["clear_filters"]
        tell_filter_keys(self.bar.field, actions["find"], (self.bar.clear_all, clearing), (self.bar.news, clearing))
        self._memory = SearchMemory(store.root, person)
        self.saved = SavedSearches(self._memory)
        self.usage = KeyUsage(store, self)
        self.usage.counted.connect(self._on_counted)
        tell_keys(self.saved.save, self.saved.save.toolTip(), actions["save_search"])
        self.bar.restore(self._memory.read("last") or {})
        self.sessions = SessionList(store, bar=self.bar, many=True)
        self._deeds = {deed: actions[deed.name] for deed in Deed}
        self._undo = actions["undo"]
        self.selection = SelectionBar(self._deeds)
        self.card, self.progress, self.runs = SessionCard(), ProgressPanel(), RunList()
        self.runs.setMinimumHeight(160)
        self.no_runs = QLabel("Nothing has been trained yet. Accept some sessions, then press Train.")
        self.nothing = EmptyPage("", "")
        self.clear = self.nothing.add_button("Clear the filters")
        self.clear.clicked.connect(self.bar.clear)
        self.bar.changed.connect(self._on_asked)
        self.bar.field.left.connect(self._on_left)
        self.saved.wanted.connect(self.bar.restore)
        self.saved.forgotten.connect(self._on_forgotten)
        self._arrange()
        selection = self.sessions.view.selectionModel()
        selection.currentChanged.connect(lambda *_: self._show_current())
        selection.selectionChanged.connect(lambda *_: self.judge())
        self.sessions.opened.connect(lambda _: self._show_current())
        self.sessions.model.dataChanged.connect(lambda *_: self._show_current())
        self.sessions.model.modelReset.connect(self._show_current)
        self.sessions.searched.connect(self._on_searched)
        self.sessions.failed.connect(lambda text: self.told.emit(text, "", None))
        self.selection.wanted.connect(self.do)
        self.selection.left.connect(self.sessions.view.setFocus)
        self.selection.cancelled.connect(self._on_cancelled)
        self.selection.empty.confirmed.connect(self.empty_trash)
        self._past: Errand | None = Errand(store.root, lambda store, _: done_before(store, person), self)
        self._past.ended.connect(self._on_remembered)
        self._past.finished.connect(self._forget_past)
        self._past.start()
        self._show_current()
        self.judge()

    def _arrange(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._lists = QStackedWidget()
        self._lists.addWidget(self.sessions)
        self._lists.addWidget(self.nothing)
        column.addWidget(self._lists, 1)
        column.addWidget(self.selection)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(12, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.card)
        column.addWidget(heading("Progress"))
        column.addWidget(self.progress)
        column.addWidget(heading("Training"))
        self.no_runs.setWordWrap(True)
        self.no_runs.setForegroundRole(self.no_runs.palette().ColorRole.PlaceholderText)
        column.addWidget(self.no_runs)
        column.addWidget(self.runs, 1)
        column.addStretch()
        body = QSplitter(Qt.Orientation.Horizontal)
        body.addWidget(left)
        beside = ScrollColumn(right)
        beside.setMinimumWidth(280)
        body.addWidget(beside)
        body.setSizes([560, 520])
        body.setStretchFactor(0, 1)
        body.setStretchFactor(1, 1)
        body.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.bar)
        layout.addWidget(self.saved)
        layout.addWidget(body, 1)
        self._on_asked()

    def show_runs(self, states: list[RunState]) -> None:
        """What is being trained."""
        self.runs.runs.refresh(states)
        self.runs.setVisible(bool(states))
        self.no_runs.setVisible(not states)

    def show_trash(self, is_trash: bool) -> None:
        """Shows what is in the trash, or what is not."""
        self.selection.empty.calm()
        self.sessions.show_trash(is_trash)
        self.judge()

    def next_unlabelled(self, opened: str) -> str:
        """The session to label next, "" where none waits. opened: the one that is being labelled."""
        here = self.sessions.current
        if here and here != opened and self.sessions.next_to_label(self.sessions.neighbour(here, -1)) == here:
            return here
        return self.sessions.next_to_label(here)

    def do(self, deed: Deed, word: str = "") -> None:
        """Does one thing to the selected sessions; asks in place for the word that it needs."""
        selected = self.sessions.selected
        if not selected:
            return
        self._run(
            lambda store, errand: do(store, deed, selected, self._person, word, errand.tell, errand.is_cancelled),
            self._on_done,
        )

    def ask(self, deed: Deed) -> None:
        """Opens the field for the word that a deed needs."""
        if self.sessions.selected:
            people = {*self._store.people(), *self._facets.assignees, self._person}
            count = len(self.sessions.selected)
            self.selection.ask(deed, sorted(people) if deed is Deed.ASSIGN else self._facets.tags, count)

    def undo(self) -> None:
        """Takes back what was done last to many sessions."""
        if self._done and self._errand is None:
            outcome = self._done.pop()
            self._run(
                lambda store, errand: undo(store, outcome, self._person, errand.tell, errand.is_cancelled),
                lambda undone: self._on_undone(outcome, undone),
            )
        self.judge()

    def empty_trash(self) -> None:
        """Deletes what is in the trash for good."""
        self.sessions.view.setFocus()  # the button is dead from now on; the next one in the window would get the keyboard
        self._run(lambda store, errand: empty_trash(store, errand.tell, errand.is_cancelled), self._on_emptied)

    def bring_sample(self) -> None:
        """Imports the session that comes with Playtape, and shows it."""
        self._run(lambda store, _: bring_sample(store), self.brought.emit)

    def close_threads(self) -> None:
        if self._past is not None:
            self._past.close()
        if self._errand is not None:
            self._errand.close()
        self.sessions.close_threads()
        self.usage.close()

    def _run(self, work, on_ended) -> None:
        if self._errand is not None:
            self.told.emit("Something is being done to the sessions already; wait for it or cancel it.", "", None)
            return
        self._errand = errand = Errand(self._store.root, work, self)
        errand.progressed.connect(self.selection.show_progress)
        errand.ended.connect(on_ended)
        errand.failed.connect(lambda text: self.told.emit(text, "", None))
        errand.finished.connect(self._on_finished)
        self.judge()
        errand.start()

    def _on_counted(self, session_id: str, words: str) -> None:
        if session_id == self.sessions.current:
            self.card.show_usage(words)

    def _on_cancelled(self) -> None:
        if self._errand is not None:
            self._errand.cancel()

    def _on_done(self, outcome: Outcome) -> None:
        if outcome.done:
            self._done.append(outcome)
            self.told.emit(outcome.text, with_keys("Undo ({undo:Ctrl+Z})", "library"), self.undo)
        else:
            self.told.emit(outcome.text if outcome.refused else "Nothing to do: it was so already.", "", None)

    def _on_remembered(self, before: list[Outcome]) -> None:
        """What was done in an earlier run can be taken back too; what was done meanwhile is in there as well."""
        here = {outcome.step for outcome in self._done}
        self._done[:0] = [outcome for outcome in before if outcome.step not in here]
        self.judge()

    def _forget_past(self) -> None:
        past, self._past = self._past, None
        if past is not None:
            past.deleteLater()

    def _on_undone(self, outcome: Outcome, undone: Outcome) -> None:
        refused = sorted(set(undone.refused.values()))
        text = (
            f"Taken back: {Outcome(outcome.deed, outcome.done).text}"
            if not refused
            else f"Not all of it could be taken back: {refused[0]}"
        )
        self.told.emit(text, "", None)

    def _on_emptied(self, emptied: Emptied) -> None:
        self._done.clear()
        count, kept = emptied.deleted, len(emptied.refused)
        text = f"{count} session{'s' * (count != 1)} deleted for good"
        text += f", {byte_words(emptied.bytes)} freed." if emptied.bytes else "."
        if kept:
            text += f" {kept} could not be deleted: {min(emptied.refused.values())}"
        if emptied.is_cancelled:
            text += " Cancelled: the others are still in the trash."
        self.told.emit(text, "", None)

    def _on_asked(self) -> None:
        """Keeps what is asked for, for the next time."""
        state = self.bar.state()
        self._memory.keep("last", state)
        self.saved.show_state(state, is_filtered=self.bar.query().is_filtered)

    def _on_left(self) -> None:
        if self._lists.currentIndex() == NOTHING:
            self.clear.setFocus()  # the list has the keyboard once there is something in it

    def _on_forgotten(self, name: str, state: dict) -> None:
        self._on_asked()
        self.told.emit(
            f"The search {name} was forgotten.", "Keep it", lambda: (self.saved.keep(name, state), self._on_asked())
        )

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None
        self.selection.finish()
        self.sessions.refresh()
        self.judge()

    def _on_searched(self, found: Found) -> None:
        self._facets = found.facets
        self.progress.show_games(found.games)
        was_nothing, focus = self._lists.currentIndex() == NOTHING, QApplication.focusWidget()
        is_list_due = was_nothing and not self.bar.isAncestorOf(focus)  # whoever is at a filter stays there
        self._lists.setCurrentIndex(LIST if found.listing.ids else NOTHING)
        if is_list_due and found.listing.ids:
            self.sessions.view.setFocus()
        self.clear.setVisible(found.query.is_filtered)
        if not found.listing.ids and found.query.is_filtered:
            self.nothing.say("Nothing matches", "Change or clear the filters above.")
        elif not found.listing.ids and not found.query.wanted.trashed:
            self.nothing.say("No sessions here", "All of them are in the trash, or were taken back by their players.")
        elif not found.listing.ids:
            self.nothing.say(
                "The trash is empty", "Sessions that you put into the trash wait here until it is emptied."
            )
        if found.listing.ids and not self.sessions.selected_count:
            self.sessions.show_current(self.sessions.current or found.listing.ids[0])
        self.judge()
        self._show_current()

    def judge(self) -> None:
        """What can be done now, with what is selected and while this page is the one that is shown."""
        selected, is_trash = self.sessions.selected_count, self.sessions.is_trash
        can_do = bool(selected) and self._errand is None and not self.isHidden()  # a key means what one sees
        for deed, action in self._deeds.items():
            action.setEnabled(can_do and (deed is Deed.RESTORE) == is_trash)
        self._undo.setEnabled(bool(self._done) and self._errand is None)
        self._undo.setToolTip(f"Take back: {self._done[-1].text}" if self._done else _NOTHING_DONE)
        is_filtered = self.bar.query(trashed=is_trash).is_filtered
        listed = self.sessions.model.rowCount()
        waiting = 0 if is_trash else len(self.sessions.model.waiting)
        self.selection.show_selection(
            selected,
            listed,
            is_trash=is_trash,
            is_filtered=is_filtered,
            queue=f"{self.bar.query().order_words}, {waiting:,} to label" if waiting else self.bar.query().order_words,
        )

    def _show_current(self) -> None:
        model, current = self.sessions.model, self.sessions.current
        summary = model.line(current)
        if summary is None and current:
            return  # it is being read
        picture = model.picture(summary) if summary else None
        self.card.show_summary(summary, picture, model.marks_of(current))
        self.card.show_usage(self.usage.want(summary) if summary else "")


def heading(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
