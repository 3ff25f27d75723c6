"""Everything the library's window can do by key, in one table: actions, tooltips and the sheet of keys are made from it."""

from __future__ import annotations

from annotator.bulk import Deed
from annotator.ui.keys.feel import HELP, LOOKS
from annotator.ui.keys.table import ActionSpec, ActionTable
from annotator.ui.library.exchange import EXCHANGE_ACTIONS
from annotator.ui.library.team import TEAM_ACTIONS
from annotator.ui.library.vision_job import VISION_ACTIONS
from annotator.ui.library.workshop import WORKSHOP_ACTIONS

MENUS = ("Sessions", "Label", "Train and play", "View", "Help")

LIBRARY_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("record", "Record", ("Ctrl+R",), "Sessions", tip="Open the recorder"),
    ActionSpec(
        "label", "Label", ("Ctrl+L",), "Label", tip="Label the chosen session", needs="There is no session in the list."
    ),
    ActionSpec(
        "next",
        "Next unlabelled",
        ("N",),
        "Label",
        tip="Label the next session that waits for labels",
        needs="There is no session in the list.",
    ),
    *EXCHANGE_ACTIONS,
    ActionSpec("find", "Search", ("Ctrl+F",), "Sessions", tip="Search the sessions"),
    ActionSpec("clear_filters", "Clear filters", ("Ctrl+Shift+F",), "Sessions", tip="Show every session again"),
    ActionSpec("save_search", "Save search", ("Ctrl+S",), "Sessions", tip="Give the filters in use a name"),
    ActionSpec(
        Deed.ACCEPT.name, "Accept", ("A",), "Label", tip="Accept the selected sessions", needs="Select sessions first."
    ),
    ActionSpec(
        Deed.REJECT.name, "Reject", ("R",), "Label", tip="Reject the selected sessions", needs="Select sessions first."
    ),
    ActionSpec(
        Deed.REOPEN.name,
        "Set back",
        ("B",),
        "Label",
        tip="Set the selected sessions back to labelled, then to unlabelled",
        needs="Select sessions first.",
    ),
    ActionSpec(
        Deed.ASSIGN.name,
        "Assign",
        ("G",),
        "Sessions",
        tip="Assign the selected sessions to somebody",
        needs="Select sessions first.",
    ),
    ActionSpec(
        Deed.RELEASE.name,
        "To nobody",
        ("Shift+G",),
        "Sessions",
        tip="Assign the selected sessions to nobody",
        needs="Select sessions first.",
    ),
    ActionSpec(
        Deed.TAG.name,
        "Tag",
        ("T",),
        "Sessions",
        tip="Put a tag on the selected sessions",
        needs="Select sessions first.",
    ),
    ActionSpec(
        Deed.UNTAG.name,
        "Untag",
        ("Shift+T",),
        "Sessions",
        tip="Take a tag off the selected sessions",
        needs="Select sessions first.",
    ),
    ActionSpec(
        Deed.TRASH.name,
        "To trash",
        ("Del",),
        "Sessions",
        tip="Put the selected sessions into the trash",
        needs="Select sessions first.",
    ),
    ActionSpec(
        Deed.RESTORE.name,
        "Restore",
        ("Ctrl+Del",),
        "Sessions",
        tip="Take the selected sessions out of the trash",
        needs="Open the trash and select sessions first.",
    ),
    ActionSpec(
        "undo",
        "Undo",
        ("Ctrl+Z",),
        "Sessions",
        tip="Take back what was done last to many sessions",
        needs="There is nothing to take back.",
    ),
    ActionSpec("sessions", "Sessions", ("Ctrl+1",), "View", tip="The sessions"),
    ActionSpec("trash", "Trash", ("Ctrl+2",), "View", tip="What was put into the trash"),
    ActionSpec("statistics", "Statistics", ("Ctrl+3",), "View", tip="Time per game, label and annotator"),
    ActionSpec("storage", "Storage", ("Ctrl+4",), "View", tip="Disk use, cache and backup"),
    *VISION_ACTIONS,
    *TEAM_ACTIONS,
    *WORKSHOP_ACTIONS,
    *LOOKS,
    *HELP,
    ActionSpec(
        "sample",
        "Look at a sample",
        ("Ctrl+Shift+L",),
        "Help",
        tip="Bring a short session of a free game in and open it",
    ),
    ActionSpec("keys", "All keys", ("?", "F1"), "Help", tip="Show all keys"),
    ActionSpec("close", "Close", ("Ctrl+W",), "Sessions", tip="Close the window; what was started goes on"),
)

LIBRARY_TABLE = ActionTable("library", "The library", MENUS, LIBRARY_ACTIONS)
