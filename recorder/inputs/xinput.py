"""Raw keys, buttons, wheel and relative motion from an X server by XInput 2.2, with focus on the same connection.

Raw events on the root window arrive whatever window has the focus and also while a game grabs the pointer. All stamps
are the server's milliseconds, mapped to `now_ns` by `db.clock.ServerClock`.
"""

from __future__ import annotations

import ctypes
import select
from ctypes import byref, c_int, c_uint, c_ulong, c_void_p
from typing import Any

from db.clock import ServerClock, now_ns
from db.errors import CaptureUnavailable
from db.recording import keys
from db.recording.events import EventKind, InputEvent
from recorder.inputs import acceleration, xlib
from recorder.inputs.devices import Devices
from recorder.inputs.focus import FocusTracker, KeyboardFocus
from recorder.inputs.source import FocusChange, Report, Watch
from recorder.screen.source import DisplayLost

_BUTTONS = {1: keys.BTN_LEFT, 2: keys.BTN_MIDDLE, 3: keys.BTN_RIGHT} | {n: keys.BTN_SIDE + n - 8 for n in range(8, 13)}
_NOTCHES = {4: (0.0, 1.0), 5: (0.0, -1.0), 6: (-1.0, 0.0), 7: (1.0, 0.0)}
"""X's wheel buttons as (right, up). A smooth wheel's notches come as these too, emulated by the server, so that its
valuators are not read and nothing counts twice."""
_RAW = [
    xlib.XI_RAW_KEY_PRESS,
    xlib.XI_RAW_KEY_RELEASE,
    xlib.XI_RAW_BUTTON_PRESS,
    xlib.XI_RAW_BUTTON_RELEASE,
    xlib.XI_RAW_MOTION,
]
_SEEDS = 16


class XInputSource:
    """Inputs of an X display. window_id: the window whose focus is told; None tells that everything is ours."""

    def __init__(self, window_id: int | None = None, *, display: str | None = None, keys_only: bool = False) -> None:
        """keys_only: leave out buttons, wheel and motion, for who listens for hotkeys beside a game."""
        self._window, self._name = window_id, display
        self._raw_kinds = _RAW[:2] if keys_only else _RAW
        self._display = 0
        self._clock = ServerClock()
        self._last_ns = 0
        self._focus: FocusTracker | None = None
        self._told = (True, True)
        self._came_ms: int | None = None
        """The server's stamp of the last change that brought the keys to the window."""
        self._pointer_px: tuple[int, int] | None = None
        self._broken = False
        self._settings: dict[str, str] = {}
        # Held here, since C keeps only its address.
        self._on_exit = xlib.EXIT_HANDLER(self._mark_broken)

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(self._devices.names)

    @property
    def clock_fit(self) -> dict[str, int]:
        return {"offset_ns": self._clock.offset_ns or 0, "jitter_ns": self._clock.jitter_ns}

    @property
    def settings(self) -> dict[str, str]:
        return dict(self._settings)

    @property
    def notices(self) -> tuple[str, ...]:
        return ()

    @property
    def descriptors(self) -> tuple[int, ...]:
        return (self._x.XConnectionNumber(self._display),)

    def open(self) -> Watch:
        libraries = xlib.load()
        self._x, self._xi = libraries.x11, libraries.xi
        self._display = xlib.open_display(self._name)
        if hasattr(self._x, "XSetIOErrorExitHandler"):
            self._x.XSetIOErrorExitHandler(c_void_p(self._display), self._on_exit, None)
        self._root = self._x.XDefaultRootWindow(self._display)
        self._devices = Devices(self._display)
        self._settings = acceleration.read_settings(self._display)
        self._seed_clock()
        self._active_atom = self._x.XInternAtom(self._display, b"_NET_ACTIVE_WINDOW", 0)
        self._clients_atom = self._x.XInternAtom(self._display, b"_NET_CLIENT_LIST", 0)
        xlib.select(self._display, self._root, [*self._raw_kinds, xlib.XI_FOCUS_IN, xlib.XI_FOCUS_OUT])
        xlib.select(self._display, self._root, [xlib.XI_HIERARCHY_CHANGED], xlib.ALL_DEVICES)
        if self._window is not None:
            focus = [xlib.XI_FOCUS_IN, xlib.XI_FOCUS_OUT, xlib.XI_ENTER, xlib.XI_LEAVE]
            xlib.select(self._display, self._window, focus)
            self._x.XSelectInput(self._display, self._root, xlib.PROPERTY_CHANGE_MASK)
            # Selected first and asked then: what changes in between is told again, and is the same.
            self._focus = self._look()
        self._told = self._state()
        self._pointer_px = self._query_pointer(self._root)[1]
        t_ns = self._stamp_now()
        return Watch(t_ns, self._held(), FocusChange(t_ns, *self._told), self.devices, self._layout())

    def read(self, timeout_s: float) -> list[Report]:
        if not self._x.XPending(self._display):
            select.select(self.descriptors, [], [], timeout_s)
        reports: list[Report] = []
        event = xlib.XEvent()
        while not self._broken and self._x.XPending(self._display):
            self._x.XNextEvent(self._display, byref(event))
            self._take(event, now_ns(), reports)
        if self._broken:
            raise DisplayLost("The X display has gone away; what was recorded until then is kept.")
        return reports

    def drain(self) -> list[Report]:
        self._x.XSync(self._display, 0)
        return self.read(0)

    def close(self) -> None:
        if self._display:
            if not self._broken:
                self._x.XCloseDisplay(self._display)
            self._display = 0

    def _mark_broken(self, _display: int | None, _data: int | None) -> None:
        self._broken = True

    def _stamp(self, server_ms: int, arrival_ns: int) -> int:
        """Never earlier than the stamp before: the stream's order is the truth, the clock's fit only improves."""
        self._last_ns = max(self._last_ns, self._clock.observe(server_ms, arrival_ns))
        return self._last_ns

    def _take(self, event: xlib.XEvent, arrival_ns: int, reports: list[Report]) -> None:
        if event.type == xlib.PROPERTY_NOTIFY:
            if event.property.window == self._root and event.property.atom == self._active_atom and self._focus:
                self._focus.active = self._is_active()
                self._tell(event.property.time, arrival_ns, reports)
            return
        if event.type != xlib.GENERIC_EVENT or not self._x.XGetEventData(self._display, byref(event.cookie)):
            return
        try:
            kind = event.cookie.evtype
            if kind in _RAW:
                raw = ctypes.cast(event.cookie.data, ctypes.POINTER(xlib.RawEvent)).contents
                t_ns = self._stamp(raw.time, arrival_ns)
                if (report := self._raw(kind, raw, t_ns)) is not None and not self._is_stale(kind, raw.time):
                    reports.append(report)
            elif kind == xlib.XI_HIERARCHY_CHANGED:
                self._devices.refresh()
            elif self._focus is not None:
                crossing = ctypes.cast(event.cookie.data, ctypes.POINTER(xlib.CrossingEvent)).contents
                self._cross(kind, crossing, self._focus)
                self._tell(crossing.time, arrival_ns, reports)
        finally:
            self._x.XFreeEventData(self._display, byref(event.cookie))

    def _is_stale(self, kind: int, server_ms: int) -> bool:
        """Whether something was done before the window had the focus, and only told afterwards.

        A window manager that looks at a click first makes the server hold back what the pointer does meanwhile; what
        shares the focus' millisecond cannot be told from that. Releases are never stale: what they end must end.
        """
        if self._came_ms is None or kind in (xlib.XI_RAW_KEY_RELEASE, xlib.XI_RAW_BUTTON_RELEASE):
            return False
        since_ms = (server_ms - self._came_ms + 2**31) % 2**32 - 2**31
        return since_ms < 0 or (since_ms == 0 and kind != xlib.XI_RAW_KEY_PRESS)

    def _raw(self, kind: int, raw: xlib.RawEvent, t_ns: int) -> InputEvent | None:
        source = self._devices.get(raw.sourceid)
        facts: dict[str, Any] = {
            "t_ns": t_ns,
            "server_ms": raw.time,
            "device": source.index,
            "simulated": source.simulated,
        }
        down = kind in (xlib.XI_RAW_KEY_PRESS, xlib.XI_RAW_BUTTON_PRESS)
        if kind in (xlib.XI_RAW_KEY_PRESS, xlib.XI_RAW_KEY_RELEASE):
            return InputEvent(kind=EventKind.KEY, code=raw.detail - keys.X11_KEYCODE_OFFSET, value=int(down), **facts)
        if kind == xlib.XI_RAW_MOTION:
            x, y, x2, y2 = source.motion(xlib.valuators(raw))
            if source.simulated:
                x, y, x2, y2 = self._injected_motion(x, y, x2, y2)
            else:
                self._pointer_px = None
            if not (x or y or x2 or y2):
                return None
            return InputEvent(kind=EventKind.MOTION, x=x, y=y, x2=x2, y2=y2, **facts)
        if raw.detail in _NOTCHES:
            x, y = _NOTCHES[raw.detail]
            return InputEvent(kind=EventKind.SCROLL, x=x, y=y, **facts) if down else None
        if raw.detail in _BUTTONS:
            return InputEvent(kind=EventKind.KEY, code=_BUTTONS[raw.detail], value=int(down), **facts)
        return None

    def _injected_motion(self, x: float, y: float, x2: float, y2: float) -> tuple[float, float, float, float]:
        """XTEST also injects places (`xdotool mousemove`, remote desktops), and its raw events look just like moves.

        A place is known by the pointer being exactly there afterwards; it moves by its distance from the last one.
        """
        _, place, _ = self._query_pointer(self._root)
        last, self._pointer_px = self._pointer_px, place
        if place != (x, y) or (last is not None and place == (last[0] + x, last[1] + y)):
            return x, y, x2, y2
        moved = (place[0] - last[0], place[1] - last[1]) if last is not None else (0, 0)
        return *moved, *moved

    def _cross(self, kind: int, event: xlib.CrossingEvent, focus: FocusTracker) -> None:
        if event.event == self._window:
            if kind == xlib.XI_FOCUS_IN:
                focus.focus_in(event.mode, event.detail)
            elif kind == xlib.XI_FOCUS_OUT:
                focus.focus_out(event.mode, event.detail)
            elif kind == xlib.XI_ENTER:
                focus.enter(event.detail)
            elif kind == xlib.XI_LEAVE:
                focus.leave(event.detail)
        elif kind == xlib.XI_FOCUS_IN:
            focus.root_focus_in(event.mode, event.detail)
        elif kind == xlib.XI_FOCUS_OUT:
            focus.root_focus_out(event.detail)

    def _tell(self, server_ms: int, arrival_ns: int, reports: list[Report]) -> None:
        if (state := self._state()) != self._told:
            if state[0] and not self._told[0]:
                self._came_ms = server_ms
            self._told = state
            reports.append(FocusChange(self._stamp(server_ms, arrival_ns), *self._told))

    def _state(self) -> tuple[bool, bool]:
        return (self._focus.keyboard, self._focus.pointer) if self._focus is not None else (True, True)

    def _look(self) -> FocusTracker:
        """Where focus and pointer are at this moment. Raises NotFound if the window is gone."""
        focus, revert = c_ulong(), c_int()
        self._x.XGetInputFocus(self._display, byref(focus), byref(revert))
        if focus.value in (xlib.POINTER_ROOT, self._root):
            state = KeyboardFocus.FOLLOWS_POINTER
        else:
            state = KeyboardFocus.OURS if self._is_within(focus.value) else KeyboardFocus.OTHER
        return FocusTracker(state, self._pointer_is_inside(), self._is_active())

    def _is_within(self, window: int) -> bool:
        """Whether `window` is the watched one or one of its descendants."""
        while window and window != self._root:
            if window == self._window:
                return True
            window = self._parent(window)
        return False

    def _parent(self, window: int) -> int:
        root, parent, children, count = c_ulong(), c_ulong(), ctypes.POINTER(c_ulong)(), c_uint()
        if not self._x.XQueryTree(self._display, window, byref(root), byref(parent), byref(children), byref(count)):
            return 0
        if children:
            self._x.XFree(children)
        return int(parent.value)

    def _pointer_is_inside(self) -> bool:
        """Whether the window under the pointer is the watched one or within it."""
        window = self._root
        while window and window != self._window:
            window, _, _ = self._query_pointer(window)
        return bool(window == self._window)

    def _query_pointer(self, window: int) -> tuple[int, tuple[int, int], int]:
        """The child of `window` that the pointer is in (0: none), its place on the root window, and what is held."""
        root, child, mask = c_ulong(), c_ulong(), c_uint()
        x, y, own_x, own_y = (c_int() for _ in range(4))
        places = [byref(number) for number in (x, y, own_x, own_y)]
        if not self._x.XQueryPointer(self._display, window, byref(root), byref(child), *places, byref(mask)):
            return 0, (x.value, y.value), mask.value
        return child.value, (x.value, y.value), mask.value

    def _is_active(self) -> bool:
        """Whether the window manager calls the window active; True where none runs or the window is none of its."""
        assert self._window is not None
        clients = self._numbers(self._root, self._clients_atom)
        own = self._window
        while own and own != self._root and own not in clients:
            own = self._parent(own)
        if own not in clients:
            inner = [client for client in clients if self._is_within(client)]
            return not inner or bool(set(inner) & set(self._numbers(self._root, self._active_atom)))
        return own in self._numbers(self._root, self._active_atom)

    def _numbers(self, window: int, atom: int) -> list[int]:
        """The numbers (windows) in a property, empty where it is not set."""
        kind, form, count, left, data = c_ulong(), c_int(), c_ulong(), c_ulong(), c_void_p()
        status = self._x.XGetWindowProperty(
            self._display, window, atom, 0, 4096, 0, 0,
            byref(kind), byref(form), byref(count), byref(left), byref(data),
        )  # fmt: skip
        if status or not data.value:
            return []
        numbers = ctypes.cast(data, ctypes.POINTER(c_ulong))[: count.value] if form.value == 32 else []
        self._x.XFree(data)
        return [int(number) for number in numbers]

    def _held(self) -> tuple[int, ...]:
        """evdev codes of all keys and buttons that are down."""
        keymap = ctypes.create_string_buffer(32)
        self._x.XQueryKeymap(self._display, keymap)
        down = [8 * byte + bit for byte in range(32) for bit in range(8) if keymap.raw[byte] & (1 << bit)]
        mask = self._query_pointer(self._root)[2]
        buttons = [_BUTTONS[n] for n in (1, 2, 3) if mask & (0x80 << n)]
        return tuple(sorted([code - keys.X11_KEYCODE_OFFSET for code in down] + buttons))

    def _seed_clock(self) -> None:
        """Fits the clock on stamps asked for, so that already the first event has its true time."""
        window = self._x.XCreateSimpleWindow(self._display, self._root, 0, 0, 1, 1, 0, 0, 0)
        self._x.XSelectInput(self._display, window, xlib.PROPERTY_CHANGE_MASK)
        self._stamp_window = window
        for _ in range(_SEEDS):
            self._stamp_now()
        if self._clock.offset_ns is None:
            raise CaptureUnavailable("The X server does not tell its time; inputs cannot be placed in time.")

    def _stamp_now(self) -> int:
        """Asks the server for its time and waits for the answer."""
        self._x.XChangeProperty(self._display, self._stamp_window, 39, 31, 8, 0, b"", 0)  # WM_NAME, STRING
        self._x.XSync(self._display, 0)
        arrival_ns = now_ns()
        event = xlib.XEvent()
        while self._x.XCheckTypedWindowEvent(
            c_void_p(self._display), c_ulong(self._stamp_window), c_int(xlib.PROPERTY_NOTIFY), byref(event)
        ):
            self._last_ns = max(self._last_ns, self._clock.observe(event.property.time, arrival_ns))
        return self._last_ns

    def _layout(self) -> str:
        """Rules, model, layout, variant and options of XKB, as the server's root window names them."""
        atom = self._x.XInternAtom(self._display, b"_XKB_RULES_NAMES", 0)
        kind, form, count, left, data = c_ulong(), c_int(), c_ulong(), c_ulong(), c_void_p()
        status = self._x.XGetWindowProperty(
            self._display, self._root, atom, 0, 256, 0, 0,
            byref(kind), byref(form), byref(count), byref(left), byref(data),
        )  # fmt: skip
        if status or not data.value:
            return ""
        raw = ctypes.string_at(data.value, count.value)
        self._x.XFree(data)
        return "/".join(raw.decode("latin-1").split("\0")).rstrip("/")
