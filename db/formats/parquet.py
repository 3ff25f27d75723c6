"""Parquet tables of strangers, by pyarrow: what a file claims is bounded before it is believed, and texts are kept once each.

A dictionary makes a column of a million long texts of one; pyarrow would write each of them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from db.errors import BadFile, from_os_error
from db.formats.parquetpages import check_column

MOST_ROWS = 10_000_000
MOST_TEXT = 20_000
"""Letters of a text; what is longer is cut off."""
_FILE_MAX, _COLUMN_MAX, _TEXTS_MAX = 4 << 30, 1 << 30, 64 << 20
"""Bytes of a file, and unpacked of a column within a group of rows: of numbers, and of texts."""


@contextmanager
def open_parquet(path: Path, texts: Sequence[str] = ()) -> Iterator[pyarrow.parquet.ParquetFile]:
    """A Parquet file. texts: columns that are read as dictionaries. Raises BadFile, also for what goes wrong while it is read."""
    try:
        if path.stat().st_size > _FILE_MAX:
            raise BadFile(f"{path} has over {_FILE_MAX >> 30} GiB.")
        with pyarrow.parquet.ParquetFile(
            path,
            read_dictionary=list(texts),
            thrift_string_size_limit=64 << 20,
            thrift_container_size_limit=1_000_000,
            memory_map=False,
            pre_buffer=False,  # else all of a group of rows is read at once
            buffer_size=1 << 20,
        ) as file:
            yield file
    except (pyarrow.ArrowException, ValueError, EOFError) as error:
        raise BadFile(f"{path} is not a whole Parquet table: {_sentence(error)}.") from None
    except OSError as error:
        if error.errno is None:  # pyarrow's own word for a broken file
            raise BadFile(f"{path} is not a whole Parquet table: {_sentence(error)}.") from None
        raise from_os_error(error, path) from None


def batches(
    path: Path, columns: Sequence[str], rows: int, optional: Sequence[str] = (), only: tuple[str, int] | None = None
) -> Iterator[pyarrow.RecordBatch]:
    """So many rows at a time of these columns; texts as dictionaries. only: a column, and the value that a group of rows must be able
    to hold. Raises BadFile.
    """
    with open_parquet(path) as file:
        schema = file.schema_arrow
    lacking = [name for name in columns if name not in schema.names]
    if lacking:
        raise BadFile(f"{path} has no column {lacking[0]!r}.")
    wanted = [*columns, *(name for name in optional if name in schema.names)]
    texts = [name for name in wanted if _is_text(schema.field(name).type)]
    with open_parquet(path, texts) as file, path.open("rb") as pages:
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            if group.num_rows > MOST_ROWS:
                raise BadFile(f"{path} claims {group.num_rows:,} rows in one group.")
            chunks = [group.column(i) for i in range(group.num_columns)]
            chunks = [chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] in wanted]
            if only is not None and not _may_hold(chunks, *only):
                continue
            for chunk in chunks:
                check_column(pages, chunk, path, _TEXTS_MAX if chunk.path_in_schema in texts else _COLUMN_MAX)
            yield from file.iter_batches(rows, row_groups=[number], columns=wanted, use_threads=False)


def listed(column: Any) -> list[Any]:
    """The values of a column; equal texts are one object."""
    if not isinstance(column, pyarrow.DictionaryArray):
        return list(column.to_pylist())
    used = column.indices.unique().drop_null()  # of a dictionary that may be much larger
    texts = {
        place: text[:MOST_TEXT] if isinstance(text, str) else text
        for place, text in zip(used.to_pylist(), column.dictionary.take(used).to_pylist(), strict=True)
    }
    return [texts.get(place) for place in column.indices.to_pylist()]


def is_plain(kind: Any) -> bool:
    """Whether a column of this type has a number, a truth value or a text in each row."""
    tests = (
        pyarrow.types.is_integer,
        pyarrow.types.is_floating,
        pyarrow.types.is_boolean,
        pyarrow.types.is_null,
        _is_text,
    )
    return any(test(kind) for test in tests)


def _is_text(kind: Any) -> bool:
    kind = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))


def _may_hold(chunks: Sequence[Any], name: str, value: int) -> bool:
    for chunk in chunks:
        if chunk.path_in_schema == name and chunk.is_stats_set and chunk.statistics.has_min_max:
            return bool(chunk.statistics.min <= value <= chunk.statistics.max)
    return True


def _sentence(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:300].rstrip(".") if lines else type(error).__name__
