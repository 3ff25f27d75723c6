"""Writes MCAP files, with the summary by which others find their way in them; see `db.formats.owamcap.mcapreader`."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from db.formats.owamcap.mcapreader import MAGIC, Kind
from db.formats.table import has_parquet

CHUNK = 1 << 20


class McapWriter:
    """Writes a file from its start to its end. Messages come in any order, best in order of time. Use as a context manager: only
    one that is left without an error ends as a file should.
    """

    def __init__(self, file: BinaryIO, profile: str, library: str) -> None:
        """Raises OSError, as every method."""
        self._file, self._crc, self._at = file, 0, 0
        self._packing = "zstd" if has_parquet() else ""
        self._schemas: dict[str, bytes] = {}
        self._channels: dict[str, tuple[int, bytes]] = {}
        self._counts: dict[int, int] = {}
        self._chunk = bytearray()
        self._times: dict[int, list[tuple[int, int]]] = {}
        """Of the messages of this chunk: channel -> (time, place in the chunk)."""
        self._indices: list[bytes] = []
        self._metadata: list[bytes] = []
        self._span: list[int] = []
        """The earliest and the latest time, once there is a message."""
        self._write(MAGIC)
        self._record(Kind.HEADER, _text(profile) + _text(library))

    def __enter__(self) -> McapWriter:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self._finish()

    def write(self, topic: str, schema: str, shape: bytes, t_ns: int, content: bytes) -> None:
        """shape: the schema itself, as JSON; the first one of each name counts."""
        channel = self._channel(topic, schema, shape)
        self._times.setdefault(channel, []).append((t_ns, len(self._chunk)))
        self._counts[channel] = self._counts.get(channel, 0) + 1
        sequence = self._counts[channel]
        self._chunk += _framed(Kind.MESSAGE, struct.pack("<HIQQ", channel, sequence & 0xFFFFFFFF, t_ns, t_ns) + content)
        if len(self._chunk) >= CHUNK:
            self._end_chunk()

    def write_metadata(self, name: str, values: Mapping[str, str]) -> None:
        self._end_chunk()
        place = self._at
        self._record(Kind.METADATA, _text(name) + _texts(values))
        self._metadata.append(_framed(Kind.METADATA_INDEX, struct.pack("<QQ", place, self._at - place) + _text(name)))

    def _channel(self, topic: str, schema: str, shape: bytes) -> int:
        if topic not in self._channels:
            if schema not in self._schemas:
                number = len(self._schemas) + 1
                content = struct.pack("<H", number) + _text(schema) + _text("jsonschema") + _bytes(shape)
                self._schemas[schema] = _framed(Kind.SCHEMA, content)
                self._chunk += self._schemas[schema]
            number = len(self._channels) + 1
            schema_number = list(self._schemas).index(schema) + 1
            content = struct.pack("<HH", number, schema_number) + _text(topic) + _text("json") + _texts({})
            self._channels[topic] = number, _framed(Kind.CHANNEL, content)
            self._chunk += self._channels[topic][1]
        return self._channels[topic][0]

    def _end_chunk(self) -> None:
        if not self._chunk:
            return
        times = [t_ns for entries in self._times.values() for t_ns, _ in entries] or [0]
        records = bytes(self._chunk)
        packed, place = self._pack(records), self._at
        head = struct.pack("<QQQI", min(times), max(times), len(records), zlib.crc32(records))
        self._record(Kind.CHUNK, head + _text(self._packing) + struct.pack("<Q", len(packed)) + packed)
        chunk_length, indices = self._at - place, {}
        for channel, entries in sorted(self._times.items()):
            indices[channel] = self._at
            content = b"".join(struct.pack("<QQ", *entry) for entry in entries)
            self._record(Kind.MESSAGE_INDEX, struct.pack("<HI", channel, len(content)) + content)
        offsets = b"".join(struct.pack("<HQ", *item) for item in indices.items())
        content = struct.pack("<QQQQI", min(times), max(times), place, chunk_length, len(offsets)) + offsets
        content += struct.pack("<Q", self._at - place - chunk_length) + _text(self._packing)
        self._indices.append(_framed(Kind.CHUNK_INDEX, content + struct.pack("<QQ", len(packed), len(records))))
        if self._times:
            self._span = [min([*self._span, *times]), max([*self._span, *times])]
        self._chunk, self._times = bytearray(), {}

    def _pack(self, records: bytes) -> bytes:
        if not self._packing:
            return records
        import pyarrow

        return bytes(pyarrow.Codec(self._packing).compress(records))

    def _finish(self) -> None:
        self._end_chunk()
        self._record(Kind.DATA_END, struct.pack("<I", self._crc))
        start = self._at
        self._crc = 0
        groups = [
            (Kind.SCHEMA, list(self._schemas.values())),
            (Kind.CHANNEL, [framed for _, framed in self._channels.values()]),
            (Kind.STATISTICS, [_framed(Kind.STATISTICS, self._statistics())]),
            (Kind.CHUNK_INDEX, self._indices),
            (Kind.METADATA_INDEX, self._metadata),
        ]
        offsets = []
        for kind, records in groups:
            place = self._at
            for record in records:
                self._write(record)
            if records:
                offsets.append(_framed(Kind.SUMMARY_OFFSET, struct.pack("<BQQ", kind, place, self._at - place)))
        offsets_start = self._at
        for record in offsets:
            self._write(record)
        self._write(struct.pack("<BQQQ", Kind.FOOTER, 20, start, offsets_start))
        self._write(struct.pack("<I", self._crc))
        self._write(MAGIC)

    def _statistics(self) -> bytes:
        counts = b"".join(struct.pack("<HQ", *item) for item in sorted(self._counts.items()))
        numbers = (
            sum(self._counts.values()), len(self._schemas), len(self._channels), 0, len(self._metadata), len(self._indices),
            *(self._span or [0, 0]),
        )  # fmt: skip
        return struct.pack("<QHIIIIQQ", *numbers) + struct.pack("<I", len(counts)) + counts

    def _record(self, kind: Kind, content: bytes) -> None:
        self._write(_framed(kind, content))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._crc = zlib.crc32(content, self._crc)
        self._at += len(content)


def _framed(kind: Kind, content: bytes) -> bytes:
    return struct.pack("<BQ", kind, len(content)) + content


def _bytes(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def _text(text: str) -> bytes:
    return _bytes(text.encode())


def _texts(values: Mapping[str, str]) -> bytes:
    return _bytes(b"".join(_text(name) + _text(value) for name, value in values.items()))
