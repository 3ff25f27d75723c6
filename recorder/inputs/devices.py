"""The input devices of an X display: their names, which of them only replay what programs inject, and their axes."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_int
from dataclasses import dataclass, field

from recorder.inputs import xlib


@dataclass
class Device:
    """One slave device. `index` is its place in the session's list of devices."""

    index: int
    name: str
    ranges: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    """Axis -> (lowest, highest, length of the screen in px) of axes that report a place instead of a movement."""
    _last: dict[int, float] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether it is one of the server's own XTEST devices, through which programs inject."""
        return " XTEST " in f" {self.name} "

    def motion(self, axes: dict[int, tuple[float, float]]) -> tuple[float, float, float, float]:
        """(x, y) raw and (x2, y2) accelerated movement of what a raw event carries; axis 0 points right, 1 down.

        A device that reports places (a tablet, a virtual machine's pointer) moves by their differences in screen
        pixels; its first report moves nothing.
        """
        moved = {axis: self._move(axis, *axes[axis]) for axis in (0, 1) if axis in axes}
        (x, x2), (y, y2) = moved.get(0, (0.0, 0.0)), moved.get(1, (0.0, 0.0))
        return x, y, x2, y2

    def _move(self, axis: int, raw: float, accelerated: float) -> tuple[float, float]:
        if axis not in self.ranges:
            return raw, accelerated
        low, high, length = self.ranges[axis]
        place = (raw - low) / (high - low) * length
        last = self._last.get(axis, place)
        self._last[axis] = place
        return place - last, place - last


class Devices:
    """All devices by the server's id. New ones get the next index; none is ever renumbered."""

    def __init__(self, display: int) -> None:
        self._display = display
        self._by_id: dict[int, Device] = {}
        self.names: list[str] = []
        self.refresh()

    def get(self, device_id: int) -> Device:
        """The device of an event, asked for again if it is new."""
        if device_id not in self._by_id:
            self.refresh()
        return self._by_id.get(device_id) or self._add(device_id, f"device {device_id}")

    def refresh(self) -> None:
        """Asks the server for all devices."""
        libraries, count = xlib.load(), c_int()
        screen = libraries.x11.XDefaultScreen(self._display)
        size = (
            libraries.x11.XDisplayWidth(self._display, screen),
            libraries.x11.XDisplayHeight(self._display, screen),
        )
        infos = libraries.xi.XIQueryDevice(self._display, xlib.ALL_DEVICES, byref(count))
        for i in range(count.value):
            info = infos[i]
            name = (info.name or b"").decode("utf-8", "replace")
            known = self._by_id.get(info.deviceid)
            device = known if known is not None and known.name == name else self._add(info.deviceid, name)
            device.ranges = _absolute_axes(info, size)
        libraries.xi.XIFreeDeviceInfo(infos)

    def _add(self, device_id: int, name: str) -> Device:
        device = Device(self.names.index(name) if name in self.names else len(self.names), name)
        if device.index == len(self.names):
            self.names.append(name)
        self._by_id[device_id] = device
        return device


def _absolute_axes(info: xlib.DeviceInfo, size_px: tuple[int, int]) -> dict[int, tuple[float, float, float]]:
    axes: dict[int, tuple[float, float, float]] = {}
    for k in range(info.num_classes):
        if info.classes[k].contents.type != xlib.VALUATOR_CLASS:
            continue
        axis = ctypes.cast(info.classes[k], ctypes.POINTER(xlib.ValuatorClass)).contents
        if axis.mode == xlib.MODE_ABSOLUTE and axis.number in (0, 1) and axis.max > axis.min:
            axes[axis.number] = (axis.min, axis.max, float(size_px[axis.number]))
    return axes
