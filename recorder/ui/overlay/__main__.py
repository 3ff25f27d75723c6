"""`python -m recorder.ui.overlay ANNOUNCEMENT`: the overlay of the play that this file announces."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PyQt6.QtWidgets import QApplication

from db.errors import PlaytapeError
from recorder.play.remote import join
from recorder.ui.overlay.overlay import Overlay
from recorder.ui.theme import dress


def main(argv: list[str]) -> int:
    app = QApplication(["playtape-overlay"])
    app.setApplicationName("playtape-overlay")
    app.setQuitOnLastWindowClosed(False)
    dress(app)
    try:
        overlay = Overlay(join(Path(argv[0])))
    except PlaytapeError as error:
        print(f"There is no overlay: {error}", file=sys.stderr)
        return 1
    overlay.ended.connect(app.quit)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: app.quit())  # the overlay's timer lets Python see the signal
    status = app.exec()
    overlay.close()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
