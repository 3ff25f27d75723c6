"""MCAP files (https://mcap.dev/spec), as much as OWAMcap needs: messages with topics and times, in chunks.

A file is a magic, records (a byte for the kind, eight for the length, the content), and the magic again. Messages lie in chunks,
which may be compressed (zstd or lz4, both by pyarrow). The summary at the end is written for others; to read a file it is
not needed, and what it claims is never believed. A reader holds one chunk in memory, whose size is bounded.

A recorder that crashed leaves a file without its end, and a bad disk one with a chunk that is damaged. What is whole is read, as MCAP's
own `mcap recover` does.

There is a well-kept library (`mcap` on PyPI), made for files that one trusts: it takes memory for what a record claims, up to 4 GiB,
unpacks what a chunk unpacks to, and does not tell where in the file a fault is.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

import numpy as np

from db.errors import BadArgument, BadFile, from_os_error
from db.files import check_plain
from db.formats.table import has_parquet

MAGIC = b"\x89MCAP0\r\n"
MOST_PACKED, MOST_UNPACKED, MOST_CHANNELS = 64 << 20, 64 << 20, 4096
MOST_METADATA, MOST_TEXTS = 16 << 20, 100_000
"""Of a record of metadata: bytes, and texts."""
_MOST_TEXT, _MOST_TOPIC, _MOST_DAMAGED = 1 << 20, 200, 1000
Buffer = bytes | memoryview
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
    t_ns: int
    """The time at which it was logged."""
    content: bytes
    place: int
    """Where in the file it (or its chunk) lies, in bytes."""


class McapReader:
    """Reads a file from its start to its end, any number of times."""

    def __init__(self, path: Path, metadata: Container[str] = ()) -> None:
        """metadata: the names of the records of metadata to keep. Raises BadFile where it is no MCAP file."""
        self.path = path
        self.metadata: dict[str, dict[str, str]] = {}
        """Those records, the last of each name, that have been passed so far."""
        self.lost_from: int | None = None
        """The byte from which on a file that was cut off holds nothing whole; known when all messages were read."""
        self.damaged: list[int] = []
        """The bytes at which damaged chunks begin that `messages` has passed over so far: what was in them is not known."""
        self._wanted = metadata
        self._topics: dict[int, str] = {}
        with self._open() as file:
            kind, content, _ = next(self._records(file), (0, b"", 0))
            if kind != Kind.HEADER:
                raise BadFile(f"{path} does not begin with a header, as every MCAP file does.")
            self.profile = _Fields(content, self, len(MAGIC)).text()

    def messages(self) -> Iterator[Message]:
        """All messages, chunk by chunk, those of a chunk in order of time; of a file that is cut off or damaged those that are whole.

        Raises BadFile with the place.
        """
        self.damaged = []
        with self._open() as file:
            for kind, content, place in self._records(file):
                if kind == Kind.CHUNK:
                    records = self._unpack(content, place)
                    if records is None:
                        self._pass_over(place)
                    else:
                        yield from self._chunk(records, place)
                elif kind == Kind.MESSAGE:
                    yield self._message(content, place)
                elif kind in (Kind.DATA_END, Kind.FOOTER):
                    return
                else:
                    self._note(kind, content, place)
        if self.lost_from is None:
            self.lost_from = self.path.stat().st_size

    def bad(self, place: int, why: str) -> BadFile:
        return BadFile(f"{self.path}, byte {place}: {why}.")

    def _open(self) -> BinaryIO:
        check_plain(self.path)
        try:
            file = self.path.open("rb")
            if file.read(len(MAGIC)) != MAGIC:
                file.close()
                raise BadFile(f"{self.path} is not an MCAP file.")
        except OSError as error:
            raise from_os_error(error, self.path) from None
        return file

    def _records(self, file: BinaryIO, wanted: Container[int] | None = None) -> Iterator[tuple[int, bytes, int]]:
        """Kind, content and place of each; what is of no use here is passed by unread. Ends with the file, or where it is cut off.

        wanted: the kinds that are read; by default all that can be of use.
        """
        wanted = _READ if wanted is None else wanted
        size, place = self.path.stat().st_size, len(MAGIC)
        while place < size:
            head = file.read(9)
            if MAGIC.startswith(head[: len(MAGIC)]):
                return
            kind, length = struct.unpack("<BQ", head) if len(head) == 9 else (0, 0)
            if kind in wanted and length > MOST_PACKED:
                raise self.bad(place, f"a record claims {length:,} bytes; at most {MOST_PACKED:,} are read at once")
            if kind == 0 or length > size - place - 9:  # a disk that lost power ends a file in zeros
                self.lost_from = place
                return
            if kind in wanted:
                yield kind, file.read(length), place
            else:
                file.seek(length, 1)
            place += 9 + length

    def _pass_over(self, place: int) -> None:
        """Notes a damaged chunk. It may have held what the channels are called: the summary at the end says it again."""
        self.damaged.append(place)
        if len(self.damaged) > _MOST_DAMAGED:
            raise self.bad(
                place, f"this is the damaged chunk number {len(self.damaged):,}; too little of the file is whole"
            )
        if len(self.damaged) == 1:
            with self._open() as file:
                for kind, content, at in self._records(file, {Kind.CHANNEL}):
                    self._note(kind, content, at)

    def _unpack(self, chunk: bytes, place: int) -> Buffer | None:
        """Its records; None where it is damaged."""
        fields = _Fields(chunk, self, place)
        fields.numbers("<QQ")
        (size,), (crc,) = fields.numbers("<Q"), fields.numbers("<I")
        kind = fields.text()
        (length,) = fields.numbers("<Q")
        packed = fields.take(length)
        if size > MOST_UNPACKED:
            raise self.bad(place, f"a chunk claims to unpack to {size:,} bytes; at most {MOST_UNPACKED:,} are taken")
        if kind not in ("", "zstd", "lz4"):
            raise self.bad(place, f"a chunk is packed by {kind[:40]!r}, which cannot be unpacked here")
        records: Buffer | None = self._decompress(packed, kind, size) if kind else packed
        return None if records is None or (crc and zlib.crc32(records) != crc) else records

    def _decompress(self, packed: memoryview, kind: str, size: int) -> Buffer | None:
        """None where it is no such thing, or would be more than `size` bytes."""
        if not has_parquet():
            raise BadArgument(f"{self.path} is packed by {kind}, which needs pyarrow: pip install pyarrow.")
        import pyarrow

        try:
            return memoryview(pyarrow.Codec(kind).decompress(packed, decompressed_size=size)) if size else b""
        except (OSError, pyarrow.ArrowException):
            return None

    def _chunk(self, records: Buffer, place: int) -> Iterator[Message]:
        times, starts, stops = array("Q"), array("Q"), array("Q")  # a chunk may hold millions of messages
        inner = _Fields(records, self, place)
        while inner.is_left:
            record, length = inner.numbers("<BQ")
            start = inner.at
            body = inner.take(length)
            if record == Kind.MESSAGE:
                times.append(_Fields(body, self, place).numbers(_MESSAGE)[2])
                starts.append(start)
                stops.append(inner.at)
            elif record == Kind.CHANNEL:
                self._note(record, body, place)
        order = np.argsort(np.frombuffer(times, np.uint64), kind="stable").astype(np.int64)
        for number in array("q", order.tobytes()):
            yield self._message(records[starts[number] : stops[number]], place)

    def _message(self, content: Buffer, place: int) -> Message:
        fields = _Fields(content, self, place)
        channel, _, t_ns, _ = fields.numbers(_MESSAGE)
        if channel not in self._topics:
            raise self.bad(place, f"a message is of channel {channel}, which is not there")
        if t_ns > LATEST_NS:
            raise self.bad(place, f"a message has the time {t_ns}, which cannot be")
        return Message(self._topics[channel], t_ns, bytes(fields.rest()), place)

    def _note(self, kind: int, content: Buffer, place: int) -> None:
        fields = _Fields(content, self, place)
        if kind == Kind.CHANNEL:
            number, _ = fields.numbers("<HH")
            topic = fields.text()[:_MOST_TOPIC]
            if self._topics.setdefault(number, topic) != topic:
                raise self.bad(place, f"channel {number} is given another topic")
            if len(self._topics) > MOST_CHANNELS:
                raise self.bad(place, f"it has over {MOST_CHANNELS} channels")
        elif kind == Kind.METADATA and (name := fields.text()) in self._wanted:
            if len(content) > MOST_METADATA:
                raise self.bad(place, f"the metadata {name[:40]!r} has {len(content):,} bytes")
            self.metadata[name] = fields.texts()


_READ = frozenset({Kind.HEADER, Kind.CHANNEL, Kind.MESSAGE, Kind.CHUNK, Kind.METADATA, Kind.DATA_END, Kind.FOOTER})
_MESSAGE = "<HIQQ"
"""Channel, number, when it was logged, when it was published."""


class _Fields:
    """The content of a record, field by field; none reaches beyond it."""

    def __init__(self, content: Buffer, reader: McapReader, place: int) -> None:
        self._content, self._reader, self._place, self.at = memoryview(content), reader, place, 0

    @property
    def is_left(self) -> bool:
        return self.at < len(self._content)

    def take(self, length: int) -> memoryview:
        taken = self._content[self.at : self.at + length]
        if len(taken) != length:
            raise self._reader.bad(self._place, "a record is shorter than what it holds")
        self.at += length
        return taken

    def rest(self) -> memoryview:
        return self.take(len(self._content) - self.at)

    def numbers(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def text(self) -> str:
        (length,) = self.numbers("<I")
        if length > _MOST_TEXT:
            raise self._reader.bad(self._place, f"a name has {length:,} bytes")
        return bytes(self.take(length)).decode("utf-8", "replace")

    def texts(self) -> dict[str, str]:
        (length,) = self.numbers("<I")
        stop, found = self.at + length, {}
        while self.at < stop:
            name = self.text()
            found[name] = self.text()
            if len(found) > MOST_TEXTS:
                raise self._reader.bad(self._place, f"metadata holds over {MOST_TEXTS:,} texts")
        return found
