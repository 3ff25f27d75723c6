"""Starts the recorder's window."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from types import TracebackType

from PyQt6.QtWidgets import QApplication

from db.cli import describe, open_library
from db.errors import PlaytapeError
from recorder.backends import require
from recorder.ui.main_window import RecorderWindow
from recorder.ui.notices import Weight
from recorder.ui.refusal import RefusalPage
from recorder.ui.theme import dress
from recorder.workers import settle


def show(args: argparse.Namespace) -> int:
    """Opens the window and runs until it is closed. Sessions that were cut off before are put in order first.

    What makes recording impossible is shown in the window too, since whoever starts it from a menu sees no terminal.
    """
    app = QApplication.instance() or QApplication(["playtape-record"])
    assert isinstance(app, QApplication)
    app.setApplicationName("playtape-record")
    app.setApplicationDisplayName("Playtape Recorder")
    dress(app)
    try:
        require()
        with open_library(args, recover=False) as store:
            library, told = store.root, describe(store.recover())
    except PlaytapeError as error:
        refusal = RefusalPage(str(error))
        refusal.resize(720, 420)
        refusal.show()
        app.exec()
        raise
    window = RecorderWindow(library, args)
    # The sign beside the game is a window too, and Qt may take it for the last one.
    app.setQuitOnLastWindowClosed(False)
    window.ended.connect(app.quit)
    _survive(window)
    window.resize(1180, 760)
    for sentence in told:
        window.notify(sentence)
    window.begin()
    window.show()
    settle()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())  # the window's timer lets Python see the signal
    return app.exec()


def _survive(window: RecorderWindow) -> None:
    """A bug in the window is printed and said; without this Qt would end the program, and the recording with it."""

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace)
        if issubclass(kind, Exception):
            words = f"Something went wrong in this window ({error}). What is being recorded goes on."
            window.notify(words, Weight.FAILED, topic="bug")

    sys.excepthook = report
