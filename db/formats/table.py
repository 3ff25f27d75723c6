"""A table of named columns in a file, read and written in pieces: CSV (RFC 4180, UTF-8), or Parquet by pyarrow.

Parquet is there where pyarrow is installed (`pip install playtape[parquet]`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from db.errors import BadArgument, BadFile, from_os_error

Piece = Mapping[str, Sequence[Any]]
"""Some rows: columns of one length, of bool, int, float or str. Every piece of a table has the same names."""

ROWS = 20_000
"""Rows of a piece, at most."""
MOST_COLUMNS, MOST_ROWS = 2_000, 10_000_000
LONGEST_LINE = 1 << 20
_CELLS, _LETTERS = 400_000, 16 << 20
"""Fields and letters of a piece that is read, to the nearest row: memory follows neither from wide tables nor from long texts."""


def has_parquet() -> bool:
    return find_spec("pyarrow") is not None


def write_table(path: Path, pieces: Iterable[Piece]) -> int:
    """By the file's suffix, .csv or .parquet; returns the number of rows. At least one piece, which may be empty.

    Raises BadArgument without pyarrow, DiskFull and StoreReadOnly.
    """
    try:
        if path.suffix == ".parquet":
            return _write_parquet(path, pieces)
        with path.open("w", newline="", encoding="utf-8") as file:
            return _write_csv(file, pieces)
    except OSError as error:
        raise from_os_error(error, path) from None


def column_names(path: Path) -> list[str]:
    """Of a table, in the file's order. Raises as `read_table`."""
    if path.suffix == ".parquet":
        _need_pyarrow(path)
        from db.formats.parquet import open_parquet

        with open_parquet(path) as parquet:
            names = list(parquet.schema_arrow.names)
            _check_names(names, path)
            _check_count(parquet.metadata.num_rows, path)
        return names
    with _opened(path) as file:
        return _read_names(csv.reader(_Lines(file, path), strict=True), path)


def read_table(path: Path, wanted: Sequence[str] | None = None) -> Iterator[dict[str, list[Any]]]:
    """The pieces of a table, of all columns or those that are wanted; those of CSV hold text. At least one piece.

    Raises BadFile with the place, and BadArgument where it is Parquet and there is no pyarrow.
    """
    names = column_names(path)
    wanted = names if wanted is None else wanted
    if path.suffix == ".parquet":
        yield from _read_parquet(path, wanted)
        return
    with _opened(path) as file:
        yield from _read_csv(file, path, names, set(wanted))


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield file
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text ({error.reason}); store it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise BadFile(f"{path} is not CSV: {error}.") from None
    except OSError as error:
        raise from_os_error(error, path) from None


@dataclass
class _Lines:
    """The lines of a file, none of which may be longer than it can be."""

    file: TextIO
    path: Path
    letters: int = 0
    """That were read so far."""

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise BadFile(f"{self.path} has a line of over {LONGEST_LINE:,} letters.")
            self.letters += len(line)
            yield line


def _write_csv(file: TextIO, pieces: Iterable[Piece]) -> int:
    writer, count = csv.writer(file), 0
    for number, piece in enumerate(pieces):
        if number == 0:
            writer.writerow(piece)
        rows = list(zip(*(map(_text, column) for column in piece.values()), strict=True))
        writer.writerows(rows)
        count += len(rows)
    return count


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def _read_names(rows: Iterator[list[str]], path: Path) -> list[str]:
    names = next(rows, [])
    _check_names(names, path)
    return names


def _read_csv(file: TextIO, path: Path, names: Sequence[str], wanted: set[str]) -> Iterator[dict[str, list[Any]]]:
    lines = _Lines(file, path)
    rows = csv.reader(lines, strict=True)
    next(rows)
    places = [place for place, name in enumerate(names) if name in wanted]
    most = max(min(ROWS, _CELLS // len(names)), 1)
    count, full_at = 0, lines.letters + _LETTERS
    chunk: list[list[str]] = []
    for row in rows:
        if len(row) != len(names):
            raise BadFile(f"{path}, line {count + 2}, has {len(row)} fields and not {len(names)}.")
        count += 1
        _check_count(count, path)
        chunk.append(row)
        if len(chunk) >= most or lines.letters >= full_at:
            yield {names[place]: [row[place] for row in chunk] for place in places}
            chunk, full_at = [], lines.letters + _LETTERS
    if chunk or count == 0:
        yield {names[place]: [row[place] for row in chunk] for place in places}


def _write_parquet(path: Path, pieces: Iterable[Piece]) -> int:
    _need_pyarrow(path)
    import pyarrow
    import pyarrow.parquet

    writer: Any = None
    count = 0
    try:
        for piece in pieces:
            table = pyarrow.table({name: list(column) for name, column in piece.items()})
            if writer is None:
                writer = pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
            count += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return count


def _read_parquet(path: Path, wanted: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
    from db.formats import parquet

    with parquet.open_parquet(path) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
    for name in wanted:
        if not parquet.is_plain(schema.field(name).type):
            raise BadFile(
                f"{path}: the column {name!r} has {str(schema.field(name).type)[:80]} and not a number or a text."
            )
    if count == 0:
        yield {name: [] for name in wanted}
    for batch in parquet.batches(path, wanted, max(min(ROWS, _CELLS // max(len(wanted), 1)), 1)):
        yield {name: parquet.listed(batch.column(name)) for name in wanted}


def _need_pyarrow(path: Path) -> None:
    if not has_parquet():
        raise BadArgument(f"{path.name} is Parquet, which needs pyarrow: pip install pyarrow, or use CSV.")


def _check_names(names: Sequence[str], path: Path) -> None:
    if not names:
        raise BadFile(f"{path} is empty; its first line should name the columns.")
    if len(names) > MOST_COLUMNS:
        raise BadFile(f"{path} has {len(names)} columns; at most {MOST_COLUMNS} can be read.")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadFile(f"{path} names a column twice: {min(twice)!r}.")


def _check_count(count: int, path: Path) -> None:
    if count > MOST_ROWS:
        raise BadFile(f"{path} has over {MOST_ROWS:,} rows; cut it into parts first.")
