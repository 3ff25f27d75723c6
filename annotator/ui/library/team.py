"""What the library's window has for people who work together: review, agreement, rules, and labels for other programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from annotator.bulk import Deed
from annotator.model.library.seat import Seat
from annotator.ui.keys.table import ActionSpec
from annotator.ui.library.agreement_page import AgreementPage
from annotator.ui.library.label_export_dialog import LabelExportDialog
from annotator.ui.library.review_page import ReviewPage
from annotator.ui.library.settings_page import SettingsPage

if TYPE_CHECKING:
    from annotator.ui.library.library_window import LibraryWindow

TEAM_PAGES = ("review", "agreement", "rules")
TEAM_ACTIONS = (
    ActionSpec("review_next", "Next to review", ("Shift+N",), "Label", tip="Open the first of the review queue"),
    ActionSpec("review_accept", "Accept", ("Shift+A",), "Label", tip="Accept the sessions chosen on the Review page"),
    ActionSpec("review_reject", "Reject", ("Shift+R",), "Label", tip="Reject the sessions chosen on the Review page"),
    ActionSpec(
        "send_back", "Send back…", ("Shift+B",), "Label",
        tip="Reject the sessions chosen on the Review page, with a comment on what is to be mended",
    ),
    ActionSpec("export_labels", "Export labels…", ("Ctrl+E",), "Sessions", tip="Write labels to a CSV or JSON file"),
    ActionSpec("review", "Review", ("Ctrl+5",), "View", tip="What waits to be reviewed, read again or compared"),
    ActionSpec("agreement", "Agreement", ("Ctrl+6",), "View", tip="How far annotators agree"),
    ActionSpec("rules", "Rules", ("Ctrl+7",), "View", tip="How a team works in this library"),
)  # fmt: skip


def team_handlers(team: Callable[[], Team]) -> dict[str, Callable[[], object]]:
    """What the actions do, but for the pages, to which the window goes. team: asked when one is done."""
    return {
        "review_next": lambda: team().review.open_next(),
        "review_accept": lambda: team().review.decide(Deed.ACCEPT),
        "review_reject": lambda: team().review.decide(Deed.REJECT),
        "send_back": lambda: team().review.ask_comment(),
        "export_labels": lambda: team().ask_to_export(),
    }


class Team(QObject):
    """Owns these pages; part of a LibraryWindow."""

    def __init__(self, window: LibraryWindow) -> None:
        super().__init__(window)
        self._window = window
        store, person = window.store, window.person
        self.review = ReviewPage(store, person, window.actions_by_name)
        self.agreement = AgreementPage(store.root)
        self.rules = SettingsPage(store.root, person)
        self.pages: dict[str, QWidget] = dict(zip(TEAM_PAGES, (self.review, self.agreement, self.rules), strict=True))
        self._looks = dict(zip(TEAM_PAGES, (self.review.look, self.agreement.look, self.rules.look), strict=True))
        self.review.wanted.connect(self.open_queue)
        self.rules.told.connect(window.info.tell)

    def open_queue(self, queue: Sequence[tuple[str, Seat]]) -> None:
        """Opens the annotator on the first of these, and on the next whenever one is done."""
        annotator = self._window.show_annotator()
        annotator.reviewing.begin(queue)

    def look(self, page: str) -> None:
        """Brings one of TEAM_PAGES up to date; does nothing for the window's other pages."""
        if page in self._looks:
            self._looks[page]()

    def ask_to_export(self) -> None:
        window = self._window
        selected = window.sessions.selected if window.page == "sessions" else []
        LabelExportDialog(window.store.root, selected, window).open()

    def close_threads(self) -> None:
        self.review.close_threads()
        self.agreement.close_threads()
