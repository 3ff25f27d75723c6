"""The recorder's program, unchanged, that also tells on request what its window shows and where.

Run as a process: arguments go to the recorder. A JSON object on each line of standard input is answered by one on
standard output. It only looks: whatever is pressed is pressed on the display, by mouse and keys.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from PyQt6.QtCore import QPoint, QSocketNotifier
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QWidget

from recorder import __main__ as program
from recorder.ui import app as recorder_app
from recorder.ui.banner import Banner
from recorder.ui.pill import Pill

_dress = recorder_app.dress


def text_of(widget: QWidget) -> str:
    """What a person would call it."""
    if isinstance(widget, QAbstractButton | QLabel) and widget.text():
        return widget.text().replace("&", "")
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, Pill):
        return widget.text
    if isinstance(widget, Banner):
        return f"{widget.face.word} | {widget.face.reason}"
    if isinstance(widget, QLineEdit) and not widget.accessibleName():
        return widget.text()
    return widget.accessibleName()


def describe(widget: QWidget) -> dict[str, Any]:
    corner = widget.mapToGlobal(QPoint(0, 0))
    return {
        "text": text_of(widget),
        "kind": type(widget).__name__,
        "rect": [corner.x(), corner.y(), widget.width(), widget.height()],
        "enabled": widget.isEnabled(),
        "focused": widget.hasFocus(),
        "value": widget.text() if isinstance(widget, QLineEdit) else "",
    }


def answer(request: dict[str, Any]) -> dict[str, Any]:
    shown = [widget for widget in QApplication.allWidgets() if widget.isVisible() and widget.visibleRegion()]
    if "grab" in request:
        window = next(widget for widget in QApplication.topLevelWidgets() if widget.windowTitle() == request["grab"])
        return {"saved": window.grab().save(request["to"])}
    if "resize" in request:
        window = next(
            widget for widget in QApplication.topLevelWidgets() if widget.windowTitle() == "Playtape Recorder"
        )
        window.resize(*request["resize"])
        return {}
    return {"widgets": [describe(widget) for widget in shown if text_of(widget)]}


def main() -> int:
    notifiers: list[QSocketNotifier] = []

    def dress(app: QApplication) -> None:
        _dress(app)
        notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
        notifier.activated.connect(lambda *_: reply(notifier))
        notifiers.append(notifier)

    def reply(notifier: QSocketNotifier) -> None:
        line = sys.stdin.readline()
        if not line:
            notifier.setEnabled(False)
            return
        print(json.dumps(answer(json.loads(line))), flush=True)

    recorder_app.dress = dress
    return program.main(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
