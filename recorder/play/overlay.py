"""The overlay as a process of its own, so that drawing it never delays a decision."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_END_S = 3.0


class Overlay:
    """Starts the overlay of an announced play; the play goes on whatever becomes of it."""

    def __init__(self, announcement: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "recorder.ui.overlay", str(announcement)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C at the terminal is the play's to handle
        )

    def close(self) -> None:
        """Ends it, if it did not by itself when the play was over."""
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait()
