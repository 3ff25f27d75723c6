"""Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), as far as messages of other tools need it.

A file is read one field at a time: what is in memory is one field of the outermost message, of at most `LARGEST` bytes, and
nothing is taken for a claim that the file is too short for. Groups, which nobody writes any more, are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from db.errors import BadFile, from_os_error

LARGEST = 16 << 20
Value = int | bytes
"""A varint as an unsigned 64-bit number, a fixed 32- or 64-bit field as its bytes, or a length-delimited one as its bytes."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_MASK = (1 << 64) - 1


class Damaged(ValueError):
    """What is wrong, and at which byte of the message."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.what, self.at = what, at


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """The fields of a message as (number, value), in their order. Raises Damaged."""
    at, end = 0, len(message)
    while at < end:
        start = at
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise Damaged(f"there is no field {number}", start)
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise Damaged(f"a field of kind {kind}", start)
        if size > end - at:
            raise Damaged(f"a field claims {size} bytes where {end - at} are left", start)
        yield number, message[at : at + size]
        at += size


def read_file(path: Path) -> Iterator[tuple[int, Value, int]]:
    """The fields of the message that a file holds, as (number, value, its place in bytes). Raises BadFile."""
    try:
        with path.open("rb") as file:
            yield from _read(file, path, path.stat().st_size)
    except OSError as error:
        raise from_os_error(error, path) from None


def _read(file: BinaryIO, path: Path, end: int) -> Iterator[tuple[int, Value, int]]:
    buffer, base, at = b"", 0, 0  # `base` is the place of the buffer in the file, `at` one within it
    while base + at < end:
        if len(buffer) - at < 32:  # more than a key and a length take
            buffer, base, at = buffer[at:] + file.read(1 << 16), base + at, 0
        start = base + at
        try:
            key, after = _varint(buffer, at)
            number, kind = key >> 3, key & 7
            if not 0 < number < 1 << 29 or kind not in (_VARINT, _BYTES, *_FIXED):
                raise Damaged(f"no field of number {number} and kind {kind} can be", at)
            if kind == _VARINT:
                value, at = _varint(buffer, after)
                yield number, value, start
                continue
            size, after = _varint(buffer, after) if kind == _BYTES else (_FIXED[kind], after)
            if size > end - base - after:
                raise Damaged(f"a field claims {size} bytes where {end - base - after} are left", at)
            if size > LARGEST:
                raise Damaged(f"a field of {size} bytes is larger than can be", at)
        except Damaged as damage:
            raise BadFile(f"{path} is damaged at byte {start}: {damage.what}.") from None
        if after + size > len(buffer):
            buffer, base, after = buffer[after:], base + after, 0
            buffer += file.read(max(size - len(buffer), 0) + (1 << 16))
            if len(buffer) < size:
                raise BadFile(f"{path} ends in the middle of a field at byte {start}.")
        yield number, buffer[after : after + size], start
        at = after + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    start = at
    while True:
        if at >= len(data):
            raise Damaged("a number has no end", start)
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value & _MASK, at
        shift += 7
        if shift > 63:
            raise Damaged("a number of more than ten bytes", start)


# Values


def signed(value: Value) -> int:
    """Of an int32 or int64 field. Raises Damaged where the field is of another type."""
    number = unsigned(value)
    return number - (1 << 64) if number >> 63 else number


def unsigned(value: Value) -> int:
    if not isinstance(value, int):
        raise Damaged("a number was expected", 0)
    return value


def raw(value: Value) -> bytes:
    """Of a string, bytes or message field."""
    if isinstance(value, int):
        raise Damaged("text or a message was expected", 0)
    return value


def text(value: Value, longest: int) -> str:
    """A string, cut to so many characters; what is not UTF-8 is replaced."""
    return raw(value)[: 4 * longest].decode("utf-8", "replace")[:longest]


def real(value: Value) -> float:
    """Of a float or double field; may be NaN or infinite."""
    data = raw(value)
    if len(data) not in (4, 8):
        raise Damaged("a fraction was expected", 0)
    number: float = struct.unpack("<f" if len(data) == 4 else "<d", data)[0]
    return number


def numbers(value: Value) -> list[int]:
    """One or, packed, several numbers of a repeated int32 field."""
    if isinstance(value, int):
        return [signed(value)]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(signed(number))
    return found


# Writing: a value that is the default is left out, as proto3 does


def put_int(number: int, value: int) -> bytes:
    return _key(number, _VARINT) + _to_varint(value & _MASK) if value else b""


def put_bytes(number: int, data: bytes) -> bytes:
    """A message, also an empty one."""
    return _key(number, _BYTES) + _to_varint(len(data)) + data


def put_text(number: int, value: str) -> bytes:
    return put_bytes(number, value.encode("utf-8", "replace")) if value else b""


def put_float(number: int, value: float) -> bytes:
    return _key(number, _FIXED32) + struct.pack("<f", value) if value else b""


def put_double(number: int, value: float) -> bytes:
    return _key(number, _FIXED64) + struct.pack("<d", value) if value else b""


def _key(number: int, kind: int) -> bytes:
    return _to_varint(number << 3 | kind)


def _to_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
