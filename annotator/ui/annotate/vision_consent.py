"""Asks before pictures are shown to a model: exactly what goes where, and what does not."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from annotator.vision.asking import Outlook
from annotator.vision.setup import VisionSetup
from db.recording.consent import LICENCES


class VisionConsent(QDialog):
    """Accepted: pictures may be sent now; `remember` says whether also the next time without asking."""

    def __init__(self, setup: VisionSetup, outlooks: Sequence[Outlook], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Show pictures to a model?")
        self.setMinimumWidth(600)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(12)
        self.lead = _text(headline(setup))
        font = self.lead.font()
        font.setBold(True)
        self.lead.setFont(font)
        lines = facts(setup, outlooks)
        self.setAccessibleDescription("\n".join(lines))
        listed = QGridLayout()
        listed.setHorizontalSpacing(8)
        listed.setVerticalSpacing(4)
        listed.setColumnStretch(1, 1)
        for row, line in enumerate(lines):
            listed.addWidget(QLabel("•"), row, 0, Qt.AlignmentFlag.AlignTop)
            listed.addWidget(_text(line), row, 1)
        self.remember = QCheckBox("Do not ask again for this place and this library")
        self.remember.setToolTip("Set up the vision model > Ask again takes this back")
        buttons = QDialogButtonBox()
        refuse = buttons.addButton("Send nothing", QDialogButtonBox.ButtonRole.RejectRole)
        self.send = buttons.addButton(
            "Show them" if setup.stays_here else "Send", QDialogButtonBox.ButtonRole.AcceptRole
        )
        refuse.setToolTip("Closes this; no picture has been sent (Esc)")
        self.send.setToolTip("Begins to ask the model; it can be stopped at any time")
        refuse.setDefault(True)  # an Enter too many sends nothing
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        outer.addWidget(self.lead)
        outer.addLayout(listed)
        outer.addWidget(self.remember)
        outer.addStretch()
        outer.addWidget(buttons)
        refuse.setFocus()


def headline(setup: VisionSetup) -> str:
    if setup.kind == "command":
        return "Pictures of the session are given to a program on this machine."
    if setup.stays_here:
        return f"Pictures of the session are given to a server on this machine, {setup.place}."
    return f"Pictures of the session leave this machine and go to {setup.place}."


def facts(setup: VisionSetup, outlooks: Sequence[Outlook]) -> list[str]:
    """What goes, and what stays, each in a line."""
    pictures, requests = sum(o.pictures for o in outlooks), sum(o.requests for o in outlooks)
    total, withheld = sum(o.bytes for o in outlooks), sum(o.withheld for o in outlooks)
    count = len(outlooks)
    lines = [
        f"{pictures} pictures of {'this session' if count == 1 else f'{count} sessions'}, about {setup.rate_hz:g} a second, "
        f"at most {setup.picture_px} px wide or high: about {_size(total)} in {requests} request{'s' * (requests != 1)}.",
        "With them go the prompt and the pictures' times"
        + (", and the names of the keys held at each." if setup.with_keys else "; no keys."),
    ]
    if setup.kind == "command":
        lines.append(f"The program is: {setup.command}. What it does with them, Playtape cannot tell.")
    elif not setup.stays_here:
        lines.append(f"Model: {setup.model}. What it costs, and how long they are kept there, its provider says.")
        lines += _terms(outlooks)
        if setup.address().scheme == "http":
            lines.append("The way there is not encrypted: everybody on it can see the pictures and the key.")
    lines.append(
        "Never shown: what is flagged private, was redacted, muted or covered, or is left out by a trim"
        + (f" ({withheld} frames here)." if withheld else ".")
    )
    return lines


def _terms(outlooks: Sequence[Outlook]) -> list[str]:
    """Under which terms the players let their recordings be used, where they said so."""
    said = sorted({(outlook.player, outlook.licence) for outlook in outlooks if outlook.licence})
    return [f"Recorded by {player}, whose terms are: {LICENCES.get(licence, licence)}." for player, licence in said]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count // 1000, 1)} kB"


def _text(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
