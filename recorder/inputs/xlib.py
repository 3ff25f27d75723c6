"""libX11 and libXi by ctypes: only what reading raw input needs (XInput 2.2, Xlib.h, XInput2.h).

python-xlib speaks XInput 2.0 only, whose raw events stop while a game grabs the pointer.
"""

from __future__ import annotations

import ctypes
from ctypes import (
    POINTER,
    Structure,
    Union,
    byref,
    c_char_p,
    c_double,
    c_int,
    c_long,
    c_ubyte,
    c_uint,
    c_ulong,
    c_void_p,
)
from dataclasses import dataclass
from functools import cache
from typing import Any

from db.errors import CaptureUnavailable

GENERIC_EVENT, PROPERTY_NOTIFY = 35, 28
PROPERTY_CHANGE_MASK = 1 << 22
XI_HIERARCHY_CHANGED, XI_DEVICE_CHANGED = 11, 1
XI_ENTER, XI_LEAVE, XI_FOCUS_IN, XI_FOCUS_OUT = 7, 8, 9, 10
XI_RAW_KEY_PRESS, XI_RAW_KEY_RELEASE, XI_RAW_BUTTON_PRESS, XI_RAW_BUTTON_RELEASE, XI_RAW_MOTION = 13, 14, 15, 16, 17
ALL_DEVICES, ALL_MASTER_DEVICES = 0, 1
VALUATOR_CLASS = 2
MODE_ABSOLUTE = 1
POINTER_ROOT = 1
SLAVE_POINTER, FLOATING_SLAVE = 3, 5


class EventMask(Structure):
    _fields_ = [("deviceid", c_int), ("mask_len", c_int), ("mask", POINTER(c_ubyte))]


class ValuatorState(Structure):
    _fields_ = [("mask_len", c_int), ("mask", POINTER(c_ubyte)), ("values", POINTER(c_double))]


_GENERIC_HEAD: list[tuple[str, Any]] = [
    ("type", c_int),
    ("serial", c_ulong),
    ("send_event", c_int),
    ("display", c_void_p),
    ("extension", c_int),
    ("evtype", c_int),
]
_XI_HEAD: list[tuple[str, Any]] = [
    *_GENERIC_HEAD,
    ("time", c_ulong),
    ("deviceid", c_int),
    ("sourceid", c_int),
    ("detail", c_int),
]


class RawEvent(Structure):
    _fields_ = [*_XI_HEAD, ("flags", c_int), ("valuators", ValuatorState), ("raw_values", POINTER(c_double))]


class CrossingEvent(Structure):
    """XIEnterEvent; XI_Leave, XI_FocusIn and XI_FocusOut have the same shape."""

    _fields_ = [
        *_XI_HEAD,
        ("root", c_ulong),
        ("event", c_ulong),
        ("child", c_ulong),
        ("root_x", c_double),
        ("root_y", c_double),
        ("event_x", c_double),
        ("event_y", c_double),
        ("mode", c_int),
    ]


class Cookie(Structure):
    _fields_ = [*_GENERIC_HEAD, ("cookie", c_uint), ("data", c_void_p)]


class PropertyEvent(Structure):
    _fields_ = [
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("atom", c_ulong),
        ("time", c_ulong),
        ("state", c_int),
    ]


class XEvent(Union):
    _fields_ = [("type", c_int), ("cookie", Cookie), ("property", PropertyEvent), ("pad", c_long * 24)]


class AnyClass(Structure):
    _fields_ = [("type", c_int), ("sourceid", c_int)]


class ValuatorClass(Structure):
    _fields_ = [
        ("type", c_int),
        ("sourceid", c_int),
        ("number", c_int),
        ("label", c_ulong),
        ("min", c_double),
        ("max", c_double),
        ("value", c_double),
        ("resolution", c_int),
        ("mode", c_int),
    ]


class DeviceInfo(Structure):
    _fields_ = [
        ("deviceid", c_int),
        ("name", c_char_p),
        ("use", c_int),
        ("attachment", c_int),
        ("enabled", c_int),
        ("num_classes", c_int),
        ("classes", POINTER(POINTER(AnyClass))),
    ]


@dataclass(frozen=True)
class Libraries:
    """The two loaded libraries with their prototypes declared."""

    x11: ctypes.CDLL
    xi: ctypes.CDLL


@cache
def load() -> Libraries:
    """Raises CaptureUnavailable where a library is missing."""
    try:
        x11, xi = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXi.so.6")
    except OSError as error:
        raise CaptureUnavailable(f"Inputs cannot be read: {error}; install libX11 and libXi (libxi6).") from None
    display, window, integer, ulong = c_void_p, c_ulong, POINTER(c_int), POINTER(c_ulong)
    _declare(x11, "XInitThreads", c_int)
    _declare(x11, "XOpenDisplay", c_void_p, c_char_p)
    _declare(x11, "XCloseDisplay", c_int, display)
    _declare(x11, "XConnectionNumber", c_int, display)
    _declare(x11, "XDefaultRootWindow", window, display)
    _declare(x11, "XDefaultScreen", c_int, display)
    _declare(x11, "XDisplayWidth", c_int, display, c_int)
    _declare(x11, "XDisplayHeight", c_int, display, c_int)
    _declare(x11, "XQueryExtension", c_int, display, c_char_p, integer, integer, integer)
    _declare(x11, "XPending", c_int, display)
    _declare(x11, "XNextEvent", c_int, display, POINTER(XEvent))
    _declare(x11, "XSync", c_int, display, c_int)
    _declare(x11, "XFlush", c_int, display)
    _declare(x11, "XGetEventData", c_int, display, POINTER(Cookie))
    _declare(x11, "XFreeEventData", None, display, POINTER(Cookie))
    _declare(x11, "XFree", c_int, c_void_p)
    _declare(x11, "XInternAtom", c_ulong, display, c_char_p, c_int)
    _declare(x11, "XSelectInput", c_int, display, window, c_long)
    _declare(x11, "XQueryKeymap", c_int, display, c_char_p)
    _declare(x11, "XGetInputFocus", c_int, display, ulong, integer)
    _declare(x11, "XCreateSimpleWindow", window, display, window, *[c_int] * 2, *[c_uint] * 3, c_ulong, c_ulong)
    _declare(x11, "XChangeProperty", c_int, display, window, c_ulong, c_ulong, c_int, c_int, c_char_p, c_int)
    _declare(x11, "XQueryTree", c_int, display, window, ulong, ulong, POINTER(ulong), POINTER(c_uint))
    _declare(x11, "XQueryPointer", c_int, display, window, ulong, ulong, *[integer] * 4, POINTER(c_uint))
    prop = [window, c_ulong, c_long, c_long, c_int, c_ulong, ulong, integer, ulong, ulong, POINTER(c_void_p)]
    _declare(x11, "XGetWindowProperty", c_int, display, *prop)
    _declare(x11, "XGetAtomName", c_void_p, display, c_ulong)
    _declare(x11, "XGetPointerControl", c_int, display, integer, integer, integer)
    _declare(xi, "XIQueryVersion", c_int, display, integer, integer)
    _declare(xi, "XISelectEvents", c_int, display, window, POINTER(EventMask), c_int)
    _declare(xi, "XIQueryDevice", POINTER(DeviceInfo), display, c_int, integer)
    prop = [c_int, c_ulong, c_long, c_long, c_int, c_ulong, ulong, integer, ulong, ulong, POINTER(c_void_p)]
    _declare(xi, "XIGetProperty", c_int, display, *prop)
    _declare(xi, "XIListProperties", ulong, display, c_int, integer)
    _declare(xi, "XIFreeDeviceInfo", None, POINTER(DeviceInfo))
    return Libraries(x11, xi)


_ERROR_HANDLER = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
_IO_ERROR_HANDLER = ctypes.CFUNCTYPE(c_int, c_void_p)
EXIT_HANDLER = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)
"""Called when the server is gone, in place of the exit() that is Xlib's default (libX11 1.7 and later)."""


_ignore_errors = _ERROR_HANDLER(lambda _display, _event: 0)
"""A window that went away between two requests is no reason to end the program, which is Xlib's default."""

_say_nothing = _IO_ERROR_HANDLER(lambda _display: 0)
"""In place of a message and an exit(); Xlib then calls the connection's own exit handler."""


def open_display(name: str | None) -> int:
    """A connection of its own. Raises CaptureUnavailable where there is no such display or its XInput is too old."""
    libraries = load()
    libraries.x11.XInitThreads()
    libraries.x11.XSetErrorHandler(_ignore_errors)
    libraries.x11.XSetIOErrorHandler(_say_nothing)
    display = libraries.x11.XOpenDisplay(name.encode() if name else None)
    if not display:
        raise CaptureUnavailable(
            f"Inputs cannot be read: the X display {name or 'named by DISPLAY'} cannot be opened; start this inside a desktop session."
        )
    opcode, event, error, major, minor = c_int(), c_int(), c_int(), c_int(2), c_int(2)
    present = libraries.x11.XQueryExtension(display, b"XInputExtension", byref(opcode), byref(event), byref(error))
    if (
        not present
        or libraries.xi.XIQueryVersion(display, byref(major), byref(minor))
        or (major.value, minor.value) < (2, 2)
    ):
        libraries.x11.XCloseDisplay(display)
        raise CaptureUnavailable(
            f"Inputs cannot be read: this X server's XInput is {major.value}.{minor.value} and 2.2 is needed; update the X server."
        )
    return int(display)


def select(display: int, window: int, events: list[int], devices: int = ALL_MASTER_DEVICES) -> None:
    """Asks for these XInput events on a window."""
    bits = (c_ubyte * 4)()
    for number in events:
        bits[number >> 3] |= 1 << (number & 7)
    mask = EventMask(devices, len(bits), ctypes.cast(bits, POINTER(c_ubyte)))
    load().xi.XISelectEvents(display, window, byref(mask), 1)


def valuators(event: RawEvent) -> dict[int, tuple[float, float]]:
    """Axis number -> (raw, accelerated) of the axes that a raw event carries."""
    state = event.valuators
    found: dict[int, tuple[float, float]] = {}
    for axis in range(state.mask_len * 8):
        if state.mask[axis >> 3] & (1 << (axis & 7)):
            position = len(found)
            found[axis] = (event.raw_values[position], state.values[position])
    return found


def _declare(library: ctypes.CDLL, name: str, result: object, *arguments: object) -> None:
    function = getattr(library, name)
    function.restype, function.argtypes = result, list(arguments)
