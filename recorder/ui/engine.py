"""What runs behind the window: a look that stores nothing, or a sitting, never both; and the ear for hotkeys."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from db.clock import now_ns
from db.errors import PlaytapeError
from recorder.backends import Choice, open_sources
from recorder.frames import LatestFrame
from recorder.hotkeys import Bindings, HotkeyAction, HotkeyListener
from recorder.order import Order
from recorder.pipeline import InputPump, ScreenPump
from recorder.screen import windows
from recorder.selftest import Check, Outcome
from recorder.sitting import Sitting
from recorder.states import State
from recorder.status import Status

_LOOK_HZ = 10.0
_WAKING_MS = 400


class Peek:
    """Pictures and signs of life of what was chosen, before anything is recorded; nothing that is read is kept."""

    def __init__(self, choice: Choice) -> None:
        """Raises CaptureUnavailable, NotFound and BadArgument."""
        screen, inputs = open_sources(choice)
        self._screen = ScreenPump(screen, _LOOK_HZ, blank=lambda: True)  # never show what lies over the game
        self._inputs = InputPump(inputs)
        self.covered = False
        self.seen = False
        """Whether there was a picture that is not black."""
        self._screen.start()
        self._inputs.start()

    @property
    def latest(self) -> LatestFrame:
        return self._screen.latest

    @property
    def error(self) -> Exception | None:
        return self._screen.error or self._inputs.error

    def status(self, *, keyboard_known: bool) -> Status:
        """keyboard_known: a key was heard on this machine before, so that none is asked for again."""
        now, inputs = now_ns(), self._inputs
        ages = [
            (now - t) / 1e9 if t else None for t in (inputs.last_key_ns, inputs.last_pointer_ns, inputs.last_gamepad_ns)
        ]
        checks = (self._check_picture(), self._check_keyboard(keyboard_known), self._check_pointer())
        return Status(State.IDLE, keyboard_age_s=ages[0], pointer_age_s=ages[1], gamepad_age_s=ages[2], checks=checks)

    def close(self) -> None:
        self._screen.close()
        self._inputs.close()

    def _check_picture(self) -> Check:
        if self.error is not None:
            return Check("Picture", Outcome.FAILED, str(self.error))
        if self.seen:
            return Check("Picture", Outcome.OK, "The picture arrives.")
        if self.covered:
            return Check("Picture", Outcome.WARNING, "Covered now; it comes to the front when the recording starts.")
        return Check("Picture", Outcome.WARNING, "Waiting for a picture of it.")

    def _check_keyboard(self, known: bool) -> Check:
        if self._inputs.last_key_ns:
            return Check("Keyboard", Outcome.OK, "Keys are heard.")
        if known:
            return Check("Keyboard", Outcome.OK, "Keys were heard on this machine before.")
        return Check("Keyboard", Outcome.WARNING, "Press any key in the game once, to see that keys are heard.")

    def _check_pointer(self) -> Check:
        if self._inputs.last_pointer_ns:
            return Check("Mouse", Outcome.OK, "The mouse is heard.")
        return Check("Mouse", Outcome.WARNING, "Move the mouse once, to see that it is heard.")


class Engine:
    """Owns the threads. All methods are for the window's thread, and none waits for long but `close`."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._peek: Peek | None = None
        self.sitting: Sitting | None = None

    @property
    def peek(self) -> Peek | None:
        return self._peek

    @property
    def latest(self) -> LatestFrame | None:
        if self.sitting is not None:
            return self.sitting.latest
        return self._peek.latest if self._peek is not None else None

    def aim(self, choice: Choice | None) -> str:
        """Looks at something else; gives the reason where that cannot be done, else an empty text."""
        self.look_away()
        if choice is None or self.sitting is not None:
            return ""
        try:
            self._peek = Peek(choice)
        except PlaytapeError as error:
            return str(error)
        return ""

    def look_away(self) -> None:
        if self._peek is not None:
            self._peek.close()
            self._peek = None

    def begin(self, choice: Choice, order: Order) -> None:
        """Starts to record."""
        assert self.sitting is None, "one sitting at a time"
        self.look_away()
        self.sitting = Sitting(self._library, choice, order)
        self.sitting.start()

    def finish(self) -> Sitting | None:
        """The sitting, once it has ended by itself; then there is none any more."""
        sitting = self.sitting
        if sitting is None or sitting.alive:
            return None
        sitting.close()
        self.sitting = None
        return sitting

    def close(self) -> None:
        """Ends what is recorded, which is kept, and joins every thread."""
        self.look_away()
        if self.sitting is not None:
            self.sitting.close()
            self.sitting = None


class Ear(QObject):
    """Brings hotkeys from the listener's thread into the window's."""

    pressed = pyqtSignal(object)
    """A HotkeyAction."""

    def __init__(self) -> None:
        super().__init__()
        self._listener: HotkeyListener | None = None
        self._deaf = False
        self._waking = QTimer(self)
        self._waking.setSingleShot(True)
        self._waking.setInterval(_WAKING_MS)
        self._waking.timeout.connect(lambda: setattr(self, "_deaf", False))

    @property
    def problem(self) -> str:
        return self._listener.problem if self._listener is not None else ""

    def listen(self, bindings: Bindings) -> None:
        """Hears these from now on, and no longer the ones before."""
        self.close()
        self._listener = HotkeyListener(bindings, self._hear)
        self._listener.start()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def deafen(self, on: bool) -> None:
        """While a new hotkey is being typed none acts, nor just after: the same press arrives here a little later."""
        if on:
            self._waking.stop()
            self._deaf = True
        else:
            self._waking.start()

    def _hear(self, action: HotkeyAction) -> None:
        if not self._deaf:
            self.pressed.emit(action)


def bring_forward(window_id: int) -> str:
    """Asks the window manager for the game's window; gives the reason where that cannot be done."""
    try:
        connection = windows.connect()
    except PlaytapeError as error:
        return str(error)
    try:
        windows.activate(connection, window_id)
    finally:
        windows.disconnect(connection)
    return ""
