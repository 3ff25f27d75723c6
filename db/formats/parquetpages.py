"""A column in a Parquet file and its pages: what each claims to unpack to, before memory is taken for it.

What the end of a file says of a column is believed by nobody who unpacks it: each page says again, in its own header, how large it is.
A page header is a struct in Thrift's compact protocol; the facts are those of apache/parquet-format (parquet.thrift: PageHeader) and of
apache/thrift (thrift-compact-protocol.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from db.errors import BadFile

_MOST_PAGE = 256 << 20
"""Bytes that one page may unpack to."""
_MOST_VALUES, _MOST_PAGES = 128 << 20, 100_000
"""Of a column within a group of rows."""
_MOST_HEADER = 1 << 20
_FIRST_LOOK = 1 << 10
_DEEPEST = 8
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_UNPACKED, _PACKED, _DATA, _DATA_V2 = 2, 3, 5, 8
"""Fields of a page header: sizes in bytes, and what there is to say of a page of data, of which field 1 is the number of values."""


@dataclass(frozen=True)
class Page:
    packed: int
    unpacked: int
    values: int
    """Of a page of data; 0 of others."""
    header: int
    """Bytes of the header before it."""


def check_column(file: BinaryIO, chunk: Any, path: Path, most: int) -> None:
    """chunk: pyarrow's ColumnChunkMetaData of a column within a group of rows. most: bytes that it may unpack to.

    Raises BadFile where it or its pages claim more, or its pages have more values than it or lie outside of it.
    """
    if chunk.total_uncompressed_size > most:
        raise BadFile(f"{path} claims {chunk.total_uncompressed_size:,} bytes in one column.")
    if chunk.num_values > _MOST_VALUES:
        raise BadFile(f"{path} claims {chunk.num_values:,} values in one column.")
    where = f"{path}, column {chunk.path_in_schema[:80]!r}"
    at, left = _begin(chunk), chunk.total_compressed_size
    unpacked = values = count = 0
    while left > 0:
        page = read_header(file, at, f"{where}, page {count}")
        count += 1
        at, left = at + page.header + page.packed, left - page.header - page.packed
        unpacked, values = unpacked + page.unpacked, values + page.values
        if left < 0:
            raise BadFile(f"{where}, page {count - 1}: it reaches beyond its column.")
        if page.unpacked > _MOST_PAGE or unpacked > most:
            raise BadFile(f"{where}, page {count - 1}: up to here it claims to unpack to {unpacked:,} bytes.")
        if values > chunk.num_values or count > _MOST_PAGES:
            raise BadFile(f"{where}, page {count - 1}: up to here there are {values:,} values of {chunk.num_values:,}.")


def read_header(file: BinaryIO, at: int, where: str) -> Page:
    """The header at a byte of the file. Raises BadFile."""
    look = _FIRST_LOOK
    while True:
        file.seek(at)
        content = file.read(look)
        try:
            return _parse(content)
        except IndexError:
            if len(content) < look or look >= _MOST_HEADER:
                raise BadFile(f"{where} has a header without an end.") from None
            look *= 32
        except ValueError as error:
            raise BadFile(f"{where} has a header that cannot be: {error}.") from None


def _begin(chunk: Any) -> int:
    """The byte at which the first page's header lies."""
    data = int(chunk.data_page_offset)
    return min(int(chunk.dictionary_page_offset), data) if chunk.has_dictionary_page else data


def _parse(content: bytes) -> Page:
    """Raises IndexError where there is more to come, and ValueError for what cannot be."""
    compact = _Compact(content)
    said = compact.struct()
    data = said.get(_DATA) or said.get(_DATA_V2) or {}
    numbers = said.get(_PACKED), said.get(_UNPACKED), data.get(1, 0) if isinstance(data, dict) else None
    packed, unpacked, values = (number if isinstance(number, int) else -1 for number in numbers)
    if min(packed, unpacked, values) < 0:
        raise ValueError("it lacks a size or says a negative one")
    return Page(packed, unpacked, values, compact.at)


class _Compact:
    """Reads Thrift's compact protocol: numbers and structs are kept, everything else is passed by."""

    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """By number; of fields that are numbers or structs."""
        found: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            step, kind = head >> 4, head & 15
            number = number + step if step else self._signed()
            value = self._value(kind, depth, within=False)
            if value is not None:
                found[number] = value
        return found

    def _value(self, kind: int, depth: int, *, within: bool) -> Any:
        """within: whether it stands in a list, where truth values take a byte each."""
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if kind in (_TRUE, _FALSE, _BYTE):
            self._pass(int(within or kind == _BYTE))
        elif kind in (_I16, _I32, _I64):
            return self._signed()
        elif kind == _DOUBLE:
            self._pass(8)
        elif kind == _BINARY:
            self._pass(self._unsigned())
        elif kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 != 15 else self._unsigned()
            for _ in range(count):
                self._value(head & 15, depth + 1, within=True)
        elif kind == _STRUCT:
            return self.struct(depth + 1)
        else:
            raise ValueError(f"it has a field of the kind {kind}")
        return None

    def _pass(self, count: int) -> None:
        self.at += count
        if self.at > len(self._content):
            raise IndexError

    def _byte(self) -> int:
        self._pass(1)
        return self._content[self.at - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("it has a number without an end")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
