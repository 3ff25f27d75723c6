"""Labelling from the keyboard alone: how many keys it takes to label, flag, review and accept a session.

A script plays a person who labels while the session plays: real key events to the real window, and nothing else.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QEvent, QObject, QSettings, Qt
from PyQt6.QtGui import QKeySequence
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.annotate_window import AnnotateWindow
from db.clock import now_ns
from db.labelling.labels import Edit, LabelKind, Review, spans
from db.settings import LibrarySettings, VocabularyEntry, write_settings
from db.store import Store
from recordings import Take, record

Key, Mod = Qt.Key, Qt.KeyboardModifier
FRAMES, SPAN_FRAMES = 1200, 14
PATIENCE_MS, STEP_MS = 20_000, 2
WORDS = {"walk on": Key.Key_F5, "turn left": Key.Key_F7, "turn right": Key.Key_F8, "shoot": Key.Key_F9}
KNOWN = ("open the heavy door", "collect the medkit", "jump over the gap")
TYPED = ("wait here", "read the sign", "go back")
PLAN = [
    ("word", "walk on"), ("word", "turn left"), ("offered", "collect the medkit"), ("word", "shoot"),
    ("word", "turn right"), ("typed", "wait here"), ("word", "walk on"), ("offered", "open the heavy door"),
    ("word", "shoot"), ("word", "turn left"), ("typed", "read the sign"), ("word", "walk on"), ("word", "turn right"),
    ("offered", "jump over the gap"), ("word", "shoot"), ("word", "walk on"), ("offered", "collect the medkit"),
    ("typed", "go back"), ("word", "turn left"), ("word", "walk on"),
]  # fmt: skip
"""Twenty spans: by a key of the vocabulary, by a phrase that is offered after three letters, and typed whole."""


@dataclass
class Hands:
    """Presses keys and counts them; a key that is held counts once. Letters of texts are counted apart."""

    window: AnnotateWindow
    keys: int = 0
    letters: int = 0
    expected: list[tuple[int, int, str]] = field(default_factory=list)

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
        self.keys += 1
        QTest.keyClick(self.at, key, modifiers)

    def write(self, text: str) -> None:
        self.letters += len(text)
        QTest.keyClicks(self.at, text)

    def hold(self, key: Qt.Key, text: str) -> None:
        """Holds a key over some frames as they are shown; what it must have marked goes to `expected`."""
        self.keys += 1
        player = self.window.editing.player
        last = self.expected[-1][1] if self.expected else 0
        until(lambda: player.index >= last)
        begun_ns = now_ns()
        first = player.index
        QTest.keyPress(self.at, key)
        until(lambda: player.index >= first + SPAN_FRAMES and now_ns() - begun_ns > 400_000_000)
        self.expected.append((first, player.index + 1, text))
        QTest.keyRelease(self.at, key)

    @property
    def at(self):
        return QApplication.focusWidget() or self.window


class Pointer(QObject):
    """Counts what a mouse would do."""

    def __init__(self) -> None:
        super().__init__()
        self.presses = 0

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.MouseButtonPress:
            self.presses += 1
        return False


def measure() -> dict[str, object]:
    """Returns the figures; raises AssertionError where a span is not what was shown while its key was down."""
    app = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, folder)
        with Store.open(Path(folder) / "library") as store:
            session_id = _prepare(store)
            pointer = Pointer()
            app.installEventFilter(pointer)
            window = AnnotateWindow(store, "ann")
            window.show()
            window.activateWindow()
            try:
                figures = _work(window, store, session_id)
            finally:
                app.removeEventFilter(pointer)
                window.close()
            figures["presses of the mouse"] = pointer.presses
            assert pointer.presses == 0, "a mouse was used"
            return figures


def _work(window: AnnotateWindow, store: Store, session_id: str) -> dict[str, object]:
    hands = Hands(window)
    until(lambda: window.sessions.model.rowCount() > 0)
    hands.press(Key.Key_PageDown)
    until(lambda: window.editing is not None and window.picture.index == 0)
    assert window.editing.session_id == session_id, "another session was opened"
    assert all(word.key for word in window.words.words), "a key of the vocabulary means something else"
    opened = hands.keys
    window.editing.phrases.refresh()
    until(lambda: len(window.editing.phrases.matches(LabelKind.INSTRUCTION, "")) >= len(KNOWN))
    hands.press(Key.Key_Space)
    ways = {"word": 0, "offered": 0, "typed": 0}
    for way, text in PLAN:
        before = hands.keys
        _label(hands, way, text)
        ways[way] += hands.keys - before
    labelled, letters = hands.keys - opened, hands.letters
    instructions = list(hands.expected)
    hands.hold(Key.Key_2, "menu")
    flagged = hands.keys - opened - labelled
    hands.press(Key.Key_Space)
    before = hands.keys
    for _ in range(len(PLAN) + 1):
        hands.press(Key.Key_Tab)
    walked = hands.keys - before
    before = hands.keys
    hands.press(Key.Key_A)
    accepted = hands.keys - before
    log = store.edits(session_id)
    stored = [(s.start, s.stop, s.value) for s in spans(log, LabelKind.INSTRUCTION)]
    assert stored == instructions, f"not what was shown: {stored} instead of {instructions}"
    flags = [(s.start, s.stop, s.value) for s in spans(log, LabelKind.FLAG)]
    assert flags == hands.expected[-1:], f"the flag is not where it was shown: {flags}"
    assert store.summary(session_id).review is Review.ACCEPTED, "the session is not accepted"
    counts = {way: sum(kind == way for kind, _ in PLAN) for way in ways}
    return {
        "spans": len(PLAN),
        "keys per span, letters apart": round(labelled / len(PLAN), 2),
        "letters per span": round(letters / len(PLAN), 2),
        "keys per span, letters included": round((labelled + letters) / len(PLAN), 2),
        **{f"keys per span, {way}, {counts[way]} spans, letters apart": ways[way] / counts[way] for way in ways},
        "keys for a flag over a stretch": flagged,
        "keys to open, walk through all labels, accept": opened + walked + accepted,
        "keys in all, letters included": hands.keys + hands.letters,
        "spans that are not exactly what was shown": 0,
    }


def _label(hands: Hands, way: str, text: str) -> None:
    if way == "word":
        hands.hold(WORDS[text], text)
        return
    hands.hold(Key.Key_B, text)
    assert hands.window.timeline.editor.is_open, "the text is not asked for"
    if way == "offered":
        hands.write(text.split()[-1][:3])
        hands.press(Key.Key_Tab)
    else:
        hands.write(text)
        hands.press(Key.Key_Return)


def _prepare(store: Store) -> str:
    """An empty session to label; earlier ones, accepted, whose phrases are known; a vocabulary."""
    known = record(store, Take(count=60, game="Maze"))
    edits = [
        Edit(session_id=known, kind=LabelKind.INSTRUCTION, start=i * 10, stop=i * 10 + 9, value=text, author="bob")
        for i, text in enumerate(KNOWN)
    ]
    store.commit(edits)
    store.trash(record(store, Take(count=10)))
    words = tuple(VocabularyEntry(text=text, key=QKeySequence(key).toString()) for text, key in WORDS.items())
    write_settings(store.root, LibrarySettings(vocabulary=words))
    return record(store, Take(count=FRAMES, game="Maze", player="cid"))


def until(condition: Callable[[], bool]) -> None:
    """Lets events come until it is so. Raises AssertionError where it never is."""
    waited_ms = 0
    while not condition():
        assert waited_ms < PATIENCE_MS, "the window did not follow"
        QTest.qWait(STEP_MS)
        waited_ms += STEP_MS
