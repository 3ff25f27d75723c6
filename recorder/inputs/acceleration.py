"""How an X server turns what a pointer device counts into motion on the screen, as its drivers tell it.

A recording holds both motions of an event (raw and accelerated); these settings say what lies between them.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_int, c_ulong, c_void_p

from recorder.inputs import xlib

_TELLING = ("Accel", "Coordinate Transformation Matrix", "Left Handed", "Scroll")
_SILENT = ("Default", "Available")
"""Parts of property names (of libinput, evdev and the server itself) that change motion, and those that only offer."""
_MAX_ITEMS = 64


def read_settings(display: int) -> dict[str, str]:
    """ "<device>: <property>" -> its values ("0.5", "1, 0"), for every pointer device, and the core pointer's control."""
    libraries, count = xlib.load(), c_int()
    settings = {"core pointer: acceleration": _core_control(display)}
    infos = libraries.xi.XIQueryDevice(display, xlib.ALL_DEVICES, byref(count))
    pointers = [
        (infos[i].deviceid, (infos[i].name or b"").decode("utf-8", "replace"))
        for i in range(count.value)
        if infos[i].use in (xlib.SLAVE_POINTER, xlib.FLOATING_SLAVE)
    ]
    libraries.xi.XIFreeDeviceInfo(infos)
    for device_id, device in pointers:
        for atom in _list_properties(display, device_id):
            name = _atom_name(display, atom)
            if any(part in name for part in _TELLING) and not any(part in name for part in _SILENT):
                settings[f"{device}: {name}"] = ", ".join(_values(display, device_id, atom))
    return settings


def _core_control(display: int) -> str:
    """The core protocol's own control: "2/1 above 4 px" (a driver may not heed it)."""
    numerator, denominator, threshold = c_int(), c_int(), c_int()
    xlib.load().x11.XGetPointerControl(display, byref(numerator), byref(denominator), byref(threshold))
    return f"{numerator.value}/{denominator.value} above {threshold.value} px"


def _list_properties(display: int, device_id: int) -> list[int]:
    count = c_int()
    atoms = xlib.load().xi.XIListProperties(display, device_id, byref(count))
    if not atoms:
        return []
    found = atoms[: count.value]
    xlib.load().x11.XFree(atoms)
    return [int(atom) for atom in found]


def _atom_name(display: int, atom: int) -> str:
    text = xlib.load().x11.XGetAtomName(display, atom)
    if not text:
        return ""
    name = ctypes.string_at(text).decode("utf-8", "replace")
    xlib.load().x11.XFree(text)
    return name


def _values(display: int, device_id: int, atom: int) -> list[str]:
    """The items of one property as text; those of types that have no number are left out."""
    kind, form, count, left, data = c_ulong(), c_int(), c_ulong(), c_ulong(), c_void_p()
    status = xlib.load().xi.XIGetProperty(
        display, device_id, atom, 0, _MAX_ITEMS, 0, 0,
        byref(kind), byref(form), byref(count), byref(left), byref(data),
    )  # fmt: skip
    if status or not data.value:
        return []
    number = {8: ctypes.c_int8, 16: ctypes.c_int16, 32: ctypes.c_int32}.get(form.value)
    if form.value == 32 and _atom_name(display, kind.value) == "FLOAT":
        number = ctypes.c_float  # type: ignore[assignment]
    items: list[float] = []
    if number is not None:
        # Unlike core properties, those of devices come packed: an item of 32 bits takes four bytes everywhere.
        items = list(ctypes.cast(data, ctypes.POINTER(number))[: count.value])
    xlib.load().x11.XFree(data)
    return [f"{item:.6g}" for item in items]
