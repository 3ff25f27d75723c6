"""A table of named columns in a file, read and written in pieces: CSV (RFC 4180, UTF-8), or Parquet by pyarrow.

Parquet is there where pyarrow is installed (`pip install playtape[parquet]`).
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from db.errors import BadArgument, BadFile, from_os_error

Piece = Mapping[str, Sequence[Any]]
"""Some rows: columns of one length, of bool, int, float or str. Every piece of a table has the same names."""

ROWS = 20_000
"""Rows of a piece."""
MOST_COLUMNS, MOST_ROWS = 2_000, 10_000_000


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


def read_table(path: Path) -> Iterator[dict[str, list[Any]]]:
    """The pieces of a table, the columns in the file's order; those of CSV hold text. At least one piece.

    Raises BadFile with the place, and BadArgument where it is Parquet and there is no pyarrow.
    """
    try:
        if path.suffix == ".parquet":
            yield from _read_parquet(path)
            return
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from _read_csv(file, path)
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text ({error.reason}); store it as CSV in UTF-8.") from None
    except OSError as error:
        raise from_os_error(error, path) from None


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


def _read_csv(file: TextIO, path: Path) -> Iterator[dict[str, list[Any]]]:
    rows: Iterator[list[str]] = csv.reader(file, strict=True)
    try:
        names = next(rows, [])
        _check_names(names, path)
        count = 0
        while chunk := list(itertools.islice(rows, ROWS)):
            for number, row in enumerate(chunk, start=count + 2):
                if len(row) != len(names):
                    raise BadFile(f"{path}, line {number}, has {len(row)} fields and not {len(names)}.")
            count += len(chunk)
            _check_count(count, path)
            yield {name: list(column) for name, column in zip(names, zip(*chunk, strict=True), strict=True)}
        if count == 0:
            yield {name: [] for name in names}
    except csv.Error as error:
        raise BadFile(f"{path} is not CSV: {error}.") from None


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


def _read_parquet(path: Path) -> Iterator[dict[str, list[Any]]]:
    _need_pyarrow(path)
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _check_names(names, path)
            _check_count(file.metadata.num_rows, path)
            if file.metadata.num_rows == 0:
                yield {name: [] for name in names}
            for batch in file.iter_batches(batch_size=ROWS):
                yield {name: batch.column(name).to_pylist() for name in names}
    except (pyarrow.ArrowException, ValueError) as error:
        raise BadFile(f"{path} is not a Parquet table: {str(error).splitlines()[0]}.") from None


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
