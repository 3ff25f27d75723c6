"""The annotator's window: sessions at the left, picture over timeline, the session's panel at the right."""

from __future__ import annotations

from datetime import datetime

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import (
    QApplication,
    QInputDialog,
    QLabel,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.key_claims import claim_keys
from annotator.model.library.seat import LABELLING, Seat
from annotator.model.opening import Opened
from annotator.ui.annotate.actions import ACTIONS, TABLE
from annotator.ui.annotate.drafts import Drafts
from annotator.ui.annotate.editing import Editing
from annotator.ui.annotate.handlers import make_handlers
from annotator.ui.annotate.heat_part import HeatPart
from annotator.ui.annotate.holding import Holding
from annotator.ui.annotate.idm_part import IdmPart
from annotator.ui.annotate.leaving import Leaving
from annotator.ui.annotate.opening import Opener, Stillness
from annotator.ui.annotate.redacting import Redacting
from annotator.ui.annotate.reviewing import Reviewing, after_submit
from annotator.ui.annotate.side_panel import SidePanel
from annotator.ui.annotate.suggestion_bar import SuggestionBar
from annotator.ui.annotate.switches import remember_switches
from annotator.ui.annotate.together import Together
from annotator.ui.annotate.vision_part import VisionPart
from annotator.ui.annotate.word_keys import WordKeys
from annotator.ui.desktop import fit_to_screen, shown_path
from annotator.ui.keys.bindings import with_keys
from annotator.ui.keys.controls import tell_filter_keys, tell_key_in
from annotator.ui.keys.window_actions import fill_menus, make_actions
from annotator.ui.notices import EmptyPage, InfoBar
from annotator.ui.placement import Placement
from annotator.ui.sessions.session_list import SessionList
from annotator.ui.text_size import grown
from annotator.ui.timeline.timeline import Timeline
from annotator.ui.watch.picture import Picture
from annotator.ui.watch.shuttling import Shuttling
from annotator.ui.watch.transport import Transport
from db.labelling.labels import Review
from db.store import Store

OTHERS_MS = 3000
_REOPENED = (
    "This session was accepted. You changed its labels, so it waits for review again; {undo:Ctrl+Z} takes both back."
)


class AnnotateWindow(QMainWindow):
    """Opens one session of the store at a time; `editing` is it."""

    def __init__(self, store: Store, author: str) -> None:
        super().__init__()
        self.store, self.author = store, author
        self.editing: Editing | None = None
        self.shuttling, self.leaving = Shuttling(self), Leaving(self)
        self.setWindowTitle("Playtape Annotator")
        fit_to_screen(self, 1280, 800)
        self.actions_by_name = make_actions(self, TABLE, make_handlers(self))
        fill_menus(self.menuBar(), TABLE, self.actions_by_name)
        self.holding = Holding(self)
        self.words = WordKeys(self, self.holding, store.root)
        self.sessions = SessionList(store)
        tell_filter_keys(self.sessions.filter, self.actions_by_name["find"])
        self.picture, self.timeline = Picture(), Timeline()
        self.transport = Transport(self.actions_by_name)
        self.panel = SidePanel(self.actions_by_name, self.words)
        self.reviewing = Reviewing(self)
        self.reviewing.changed.connect(lambda: self.panel.review_panel.show_role(self.reviewing.words()))
        self.suggestion_bar = SuggestionBar(self.actions_by_name)
        self.drafts = Drafts(store.root, author, self.timeline, self.panel.note, self)
        self.info = InfoBar()
        self.empty = EmptyPage("", "")
        self.vision, self.idm, self.heat = VisionPart(self), IdmPart(self), HeatPart(self)
        self._arrange()
        self.together = Together(self)
        self.placement = Placement("annotate", self)
        remember_switches(self.actions_by_name, ACTIONS)
        self.opener = Opener(store.root, author, self)
        self.opener.opened.connect(self._on_opened)
        self.opener.failed.connect(self._on_not_opened)
        self.redacting = Redacting(self)
        self.still = Stillness((self.pages, self.side), [s.name for s in ACTIONS if not s.needs_session], self)
        self.sessions.opened.connect(self.open_session)
        self.sessions.failed.connect(self.info.tell)
        self.sessions.counted.connect(self._on_counted)
        self.panel.table.text_wanted.connect(self.timeline.edit_text)
        self._others = QTimer(self)
        self._others.timeout.connect(self._look_for_others)
        self._others.start(OTHERS_MS)
        self.words.failed.connect(self.info.tell)
        self.words.changed.connect(
            lambda: claim_keys("annotate", "Vocabulary", {w.text: (w.key,) for w in self.words.words if w.key})
        )
        self.drafts.told.connect(self.info.tell)
        self.words.refresh()
        self._show(None)
        self.sessions.refresh()
        self.sessions.view.setFocus()
        self.placement.restore()

    def _arrange(self) -> None:
        left, self.side = QWidget(), QWidget()
        for pane, content in ((left, self.sessions), (self.side, self.panel)):
            inner = QVBoxLayout(pane)
            inner.setContentsMargins(12, 8, 12, 12)
            inner.addWidget(content)
        work = QSplitter(Qt.Orientation.Vertical)
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.info)
        column.addWidget(self.picture, 1)
        column.addWidget(self.transport)
        column.addWidget(self.suggestion_bar)
        work.addWidget(upper)
        work.addWidget(self.timeline)
        work.setStretchFactor(0, 1)
        work.setStretchFactor(1, 0)
        work.setSizes([370, 368])
        work.setChildrenCollapsible(False)
        self.pages = QStackedWidget()
        self.pages.addWidget(work)
        self.pages.addWidget(self.empty)
        whole = QSplitter(Qt.Orientation.Horizontal)
        for widget in (left, self.pages, self.side):
            if widget is not self.side:  # which says itself what it needs
                widget.setMinimumWidth(240 if widget is self.pages else min(grown(240), 320))
            whole.addWidget(widget)
        beside = self.width() // 4  # at most, where the text is large
        left_px, right_px = min(grown(264), max(beside, 264)), min(grown(280), max(beside, 280))
        whole.setSizes([left_px, self.width() - left_px - right_px, right_px])
        whole.setStretchFactor(1, 1)
        whole.setChildrenCollapsible(False)
        self.setCentralWidget(whole)
        self.saved = QLabel()
        self.help = QLabel()
        tell_key_in(self.help, "{key} shows all keys", self.actions_by_name["cheat_sheet"])
        self.statusBar().addWidget(self.saved, 1)
        self.statusBar().addPermanentWidget(self.transport.note)
        self.statusBar().addPermanentWidget(self.help)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().setContentsMargins(8, 0, 8, 0)

    # Sessions

    def open_session(self, session_id: str, seat: Seat = LABELLING) -> bool:
        """Opens a session, to sit there as `seat` says, in place of the one shown; where that fails, says why and keeps the one shown.

        A long one is read in a thread: until it is there nothing can be done to the one shown. False where it is known
        already that it cannot be opened.
        """
        here = (self.editing.session_id, self.editing.seat) if self.editing is not None else None
        if here == (session_id, seat) and not self.opener.pending:
            return True
        if self.redacting.is_busy:
            self.info.tell("Stretches are being destroyed; sessions can be opened again when that is done.")
            return False
        self._finish_typing()
        if self.editing is not None:
            self.editing.proxying.halt()  # it ends while the next session is read
        self.opener.open(session_id, seat)
        self._wait(bool(self.opener.pending))
        return bool(self.opener.pending) or (self.editing is not None and self.editing.session_id == session_id)

    def _on_opened(self, opened: Opened) -> None:
        self._wait(False)
        editing = Editing(self.store, opened.summary.id, self.author, self, opened)
        self._show(editing)
        self.panel.show_summary(opened.summary)
        self.panel.review_panel.show_role(self.reviewing.words())
        self.sessions.show_current(editing.session_id)
        self.setWindowTitle(f"{opened.summary.game}, {opened.summary.player} - Playtape Annotator")
        self.timeline.setFocus()
        editing.player.seek(0)

    def _on_not_opened(self, session_id: str, reason: str) -> None:
        self._wait(False)
        if self.editing is not None:
            self.editing.proxying.resume()
        self.info.tell(reason)
        if self.editing is None:
            self.empty.say("This session cannot be opened", reason)

    def leave_session(self) -> None:
        """Shows none, with everything of the one that was shown committed and its files let go of."""
        self._finish_typing()
        self._show(None)

    def _wait(self, is_waiting: bool) -> None:
        """Nothing is done to the session shown while another is on its way in."""
        self.saved.setText("Opening …" if is_waiting else "")
        self.still.hold(is_waiting)
        self._enable_actions(self.editing is not None and not is_waiting)

    def submit(self) -> None:
        """Marks the session as done, as far as that is this person's to say, and opens the next that waits."""
        editing = self.editing
        if editing is None:
            return
        self._finish_typing()
        if self.reviewing.submit():
            return
        following = self.sessions.next_to_label(editing.session_id)
        after = after_submit(editing.document)
        if after is not None and not editing.set_review(after):
            return
        if following:
            self.open_session(following)
        else:
            self.info.tell("That was the last session waiting for labels.")

    def _show(self, editing: Editing | None) -> None:
        if self.editing is not None:
            self.editing.conflicts.close()  # what has no place in the log the drafts keep
        self.drafts.close()  # while the fields are still those of the session before
        old, self.editing = self.editing, editing
        for view in (
            self.timeline,
            self.transport,
            self.suggestion_bar,
            self.vision,
            self.idm,
            self.heat,
            self.together,
        ):
            view.show_editing(editing)
        self.panel.show_editing(editing, None)
        self.picture.clear()
        if old is not None:
            self.leaving.take(old)
        if editing is None:
            self.leaving.close()
        else:
            self.picture.inputs = editing.inputs
            editing.player.displayed.connect(self.picture.show_frame)
            editing.saved.connect(self._on_saved)
            editing.told.connect(self.saved.setText)
            editing.refused.connect(self.info.tell)
            editing.reopened.connect(lambda: self.info.tell(with_keys(_REOPENED)))
            editing.suggesting.progressed.connect(self._on_progress)
            editing.suggesting.ended.connect(self._on_proposed)
            editing.changed.connect(lambda _: self._on_changed())
        self.pages.setCurrentIndex(0 if editing else 1)
        self.side.setVisible(editing is not None)
        self.saved.clear()
        self._enable_actions(editing is not None)
        self.drafts.show_editing(editing)

    def _enable_actions(self, has_session: bool) -> None:
        for spec in ACTIONS:
            if spec.needs_session:
                self.actions_by_name[spec.name].setEnabled(has_session)
        if has_session:
            self._name_undo()

    def _finish_typing(self) -> None:
        """Commits what stands in open text fields, and what a held key marks."""
        self.holding.let_go()
        self.timeline.editor.finish()
        self.panel.save()

    def go(self, step: int) -> None:
        here = self.opener.pending or (self.editing.session_id if self.editing else "")
        there = self.sessions.neighbour(here, step)
        if there:
            self.open_session(there)
        else:
            self.info.tell("There is no further session that way.")

    # What happened

    def _on_saved(self, name: str) -> None:
        self.saved.setText(f"✓ Saved {datetime.now():%H:%M:%S}: {name}")

    def _on_progress(self, done: int, total: int) -> None:
        self.saved.setText(f"Looking for idle stretches and menus: {done * 100 // max(total, 1)} %")

    def _on_proposed(self, text: str) -> None:
        self.saved.clear()
        self.info.tell(text)

    def ask_factor(self, editing: Editing) -> None:
        """Asks what to multiply the mouse motion with."""
        if editing.stretch is None:
            editing.presses.scale_motion(1.0)  # which says what is missing
            return
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setWindowTitle("Scale the mouse motion")
        dialog.setLabelText("Times what was recorded; 0 clears it, 1 is as recorded, -1 turns it round:")
        dialog.setDoubleRange(-100, 100)
        dialog.setDoubleDecimals(2)
        dialog.setDoubleStep(0.1)
        dialog.setDoubleValue(0.5)
        dialog.doubleValueSelected.connect(editing.presses.scale_motion)
        dialog.open()

    def _on_changed(self) -> None:
        self._name_undo()
        self.picture.update()
        if self.editing is None or self.editing.seat != LABELLING:
            return
        if self.editing.document.review is Review.ACCEPTED and self.info.text == with_keys(_REOPENED):
            self.info.hide()  # taken back
        if self.editing.document.review.value != self.panel.review.text:
            self.sessions.refresh()
            self.panel.show_summary(self.store.summary(self.editing.session_id))

    def _on_counted(self, count: int, is_filtered: bool) -> None:
        if self.editing is not None or self.redacting.is_waiting:
            return
        if count:
            self.empty.say(
                "Choose a session", with_keys("Click one in the list, or press {next_session:PgDown} for the first.")
            )
        elif is_filtered:
            self.empty.say("Nothing matches", "Change or clear the filter above the list.")
        else:
            self.empty.say(
                "No sessions yet",
                f"Record one with the recorder (playtape-record); it appears here by itself.\n{shown_path(self.store.root)}",
            )

    def _look_for_others(self) -> None:
        """Takes in changes of the vocabulary; `together` sees to those of the session."""
        self.words.refresh()

    def _name_undo(self) -> None:
        history = self.editing.history if self.editing else None
        for name, what in (
            ("undo", history.undo_name if history else ""),
            ("redo", history.redo_name if history else ""),
        ):
            action = self.actions_by_name[name]
            action.setText(f"{name.capitalize()}: {what}" if what else name.capitalize())
            action.setEnabled(bool(what) and not self.opener.pending)

    # Keys

    def next_pane(self) -> None:
        panel = self.panel
        panes = (self.sessions.view, self.timeline, panel.table, panel.note, panel.assignee, panel.tags.word)
        focused = QApplication.focusWidget()
        at = next((i for i, pane in enumerate(panes) if pane is focused), 0)
        panes[(at + 1) % len(panes)].setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Everything is committed already but for what stands in a text field."""
        self._finish_typing()
        self.placement.store()
        self._others.stop()
        self.sessions.close_threads()
        self.redacting.close()
        self.opener.close()
        self.still.hold(False)
        self._show(None)
        self.vision.close()
        self.idm.close()
        self.heat.close()
        event.accept()
