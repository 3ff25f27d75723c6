"""MCAP files (https://mcap.dev/spec), as much as OWAMcap needs: messages with topics and times, in chunks.

A file is a magic, records (a byte for the kind, eight for the length, the content), and the magic again. Messages lie in chunks,
which may be compressed (zstd or lz4, both by pyarrow). The summary at the end is written for others; to read a file it is
not needed, and what it claims is never believed. A reader holds one chunk in memory, whose size is bounded.

There is a well-kept library (`mcap` on PyPI), made for files that one trusts: it takes memory for what a record claims, up to 4 GiB,
unpacks what a chunk unpacks to, and does not tell where in the file a fault is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from db.errors import BadArgument, BadFile, from_os_error
from db.formats.table import has_parquet

MAGIC = b"\x89MCAP0\r\n"
MOST_PACKED, MOST_UNPACKED, MOST_CHANNELS = 64 << 20, 256 << 20, 4096
_MOST_TEXT, _MOST_METADATA = 1 << 20, 4096
LATEST_NS = 2**62
"""Later is no time: sums and differences of two must fit into 64 bits."""


class Kind(IntEnum):
    HEADER = 0x01
    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    MESSAGE_INDEX = 0x07
    CHUNK_INDEX = 0x08
    STATISTICS = 0x0B
    METADATA = 0x0C
    METADATA_INDEX = 0x0D
    SUMMARY_OFFSET = 0x0E
    DATA_END = 0x0F


@dataclass(frozen=True, slots=True)
class Message:
    topic: str
    schema: str
    """The schema's name."""
    t_ns: int
    """The time at which it was logged."""
    content: bytes
    place: int
    """Where in the file it (or its chunk) lies, in bytes."""


class McapReader:
    """Reads a file from its start to its end, any number of times."""

    def __init__(self, path: Path) -> None:
        """Raises BadFile where it is no MCAP file."""
        self.path = path
        self.metadata: dict[str, dict[str, str]] = {}
        """Records of metadata by their names, the last of each; those that have been passed so far."""
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, tuple[str, str]] = {}
        with self._open() as file:
            kind, content, _ = next(self._records(file), (0, b"", 0))
            if kind != Kind.HEADER:
                raise BadFile(f"{path} does not begin with a header, as every MCAP file does.")
            self.profile = _Fields(content, self, len(MAGIC)).text()

    def messages(self) -> Iterator[Message]:
        """All messages, chunk by chunk, those of a chunk in order of time.

        Raises BadFile with the place, also where the file is cut off.
        """
        with self._open() as file:
            for kind, content, place in self._records(file):
                if kind == Kind.CHUNK:
                    yield from self._chunk(content, place)
                elif kind == Kind.MESSAGE:
                    yield self._message(content, place)
                elif kind == Kind.DATA_END:
                    return
                else:
                    self._note(kind, content, place)
        raise self.bad(self.path.stat().st_size, "it is cut off: the end of the data is missing")

    def bad(self, place: int, why: str) -> BadFile:
        return BadFile(f"{self.path}, byte {place}: {why}.")

    def _open(self) -> BinaryIO:
        try:
            file = self.path.open("rb")
            if file.read(len(MAGIC)) != MAGIC:
                file.close()
                raise BadFile(f"{self.path} is not an MCAP file.")
        except OSError as error:
            raise from_os_error(error, self.path) from None
        return file

    def _records(self, file: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
        """Kind, content and place of each; what is of no use here is passed by unread. Ends with the file."""
        size, place = self.path.stat().st_size, len(MAGIC)
        while place < size:
            head = file.read(9)
            if len(head) < 9:
                if MAGIC.startswith(head):
                    return
                raise self.bad(place, "it is cut off within a record")
            kind, length = struct.unpack("<BQ", head)
            if length > size - place - 9:
                if head[: len(MAGIC)] == MAGIC:
                    return
                raise self.bad(
                    place, f"it is cut off, or damaged: a record claims {length:,} bytes, {size - place - 9:,} follow"
                )
            if kind in _READ:
                if length > MOST_PACKED:
                    raise self.bad(place, f"a record has {length:,} bytes; at most {MOST_PACKED:,} are read at once")
                content = file.read(length)
                if len(content) != length:
                    raise self.bad(place, "it is cut off within a record")
                yield kind, content, place
            else:
                file.seek(length, 1)
            place += 9 + length

    def _chunk(self, content: bytes, place: int) -> Iterator[Message]:
        fields = _Fields(content, self, place)
        fields.numbers("<QQ")
        (size,), (crc,) = fields.numbers("<Q"), fields.numbers("<I")
        kind = fields.text()
        (length,) = fields.numbers("<Q")
        records = self._unpack(fields.take(length), kind, size, place)
        if crc and zlib.crc32(records) != crc:
            raise self.bad(place, "a chunk is damaged: its checksum is another one")
        found = []
        inner = _Fields(records, self, place)
        while inner.is_left:
            record, length = inner.numbers("<BQ")
            body = inner.take(length)
            if record == Kind.MESSAGE:
                found.append(self._message(body, place))
            else:
                self._note(record, body, place)
        found.sort(key=lambda message: message.t_ns)
        yield from found

    def _unpack(self, packed: bytes, kind: str, size: int, place: int) -> bytes:
        if size > MOST_UNPACKED:
            raise self.bad(place, f"a chunk claims to unpack to {size:,} bytes; at most {MOST_UNPACKED:,} are taken")
        if not kind:
            return packed
        if kind not in ("zstd", "lz4"):
            raise self.bad(place, f"a chunk is packed by {kind[:40]!r}, which cannot be unpacked here")
        if not has_parquet():
            raise BadArgument(f"{self.path} is packed by {kind}, which needs pyarrow: pip install pyarrow.")
        import pyarrow

        try:
            return bytes(pyarrow.Codec(kind).decompress(packed, decompressed_size=size)) if size else b""
        except (OSError, pyarrow.ArrowException):  # also where it would unpack to more than it claims
            raise self.bad(place, "a chunk is damaged: it does not unpack to what it claims") from None

    def _message(self, content: bytes, place: int) -> Message:
        fields = _Fields(content, self, place)
        channel, _, t_ns, _ = fields.numbers("<HIQQ")
        if channel not in self._channels:
            raise self.bad(place, f"a message is of channel {channel}, which is not there")
        if t_ns > LATEST_NS:
            raise self.bad(place, f"a message has the time {t_ns}, which cannot be")
        topic, schema = self._channels[channel]
        return Message(topic, schema, t_ns, fields.rest(), place)

    def _note(self, kind: int, content: bytes, place: int) -> None:
        fields = _Fields(content, self, place)
        if kind == Kind.SCHEMA:
            (number,) = fields.numbers("<H")
            self._schemas[number] = fields.text()
        elif kind == Kind.CHANNEL:
            number, schema = fields.numbers("<HH")
            if len(self._channels) > MOST_CHANNELS:
                raise self.bad(place, f"it has over {MOST_CHANNELS} channels")
            self._channels[number] = (fields.text(), self._schemas.get(schema, ""))
        elif kind == Kind.METADATA and len(self.metadata) < _MOST_METADATA:
            name = fields.text()
            self.metadata[name] = fields.texts()


_READ = frozenset({Kind.HEADER, Kind.SCHEMA, Kind.CHANNEL, Kind.MESSAGE, Kind.CHUNK, Kind.METADATA, Kind.DATA_END})


class _Fields:
    """The content of a record, field by field; none reaches beyond it."""

    def __init__(self, content: bytes, reader: McapReader, place: int) -> None:
        self._content, self._reader, self._place, self._at = content, reader, place, 0

    @property
    def is_left(self) -> bool:
        return self._at < len(self._content)

    def take(self, length: int) -> bytes:
        taken = self._content[self._at : self._at + length]
        if len(taken) != length:
            raise self._reader.bad(self._place, "a record is shorter than what it holds")
        self._at += length
        return taken

    def rest(self) -> bytes:
        return self.take(len(self._content) - self._at)

    def numbers(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def text(self) -> str:
        (length,) = self.numbers("<I")
        if length > _MOST_TEXT:
            raise self._reader.bad(self._place, f"a name has {length:,} bytes")
        return self.take(length).decode("utf-8", "replace")

    def texts(self) -> dict[str, str]:
        (length,) = self.numbers("<I")
        stop, found = self._at + length, {}
        while self._at < stop:
            name = self.text()
            found[name] = self.text()
        return found
