"""Pages and folders shown by whatever program this desktop opens them with."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices


def show_outside(path: Path) -> str:
    """Asks the desktop to open it; returns what to tell where no program took it, "" otherwise."""
    if QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
        return ""
    return f"No program on this desktop opens {path}; open it by hand."
