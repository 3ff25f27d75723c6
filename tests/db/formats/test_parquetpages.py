"""What the pages of a Parquet column claim is checked before they are unpacked."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from db.errors import BadFile
from db.formats.parquetpages import check_column, read_header

PATH = Path("a.parquet")


def varint(number: int) -> bytes:
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def i32(number: int) -> bytes:
    """A field, the next after the one before."""
    return b"\x15" + varint((number << 1) ^ (number >> 31))


def header(unpacked: int, packed: int, values: int, more: bytes = b"") -> bytes:
    """Of a page of data. more: further fields, from number 6 on."""
    return i32(0) + i32(unpacked) + i32(packed) + b"\x2c" + i32(values) + i32(0) + b"\x00" + more + b"\x00"


def chunk(content: bytes, values: int = 10, unpacked: int = 100) -> SimpleNamespace:
    return SimpleNamespace(
        path_in_schema="KEY_W", total_uncompressed_size=unpacked, total_compressed_size=len(content), num_values=values,
        has_dictionary_page=False, data_page_offset=0,
    )  # fmt: skip


def check(content: bytes, most: int = 1000, **claims: int) -> None:
    check_column(io.BytesIO(content), chunk(content, **claims), PATH, most)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [False, True])
def test_pages_of_ordinary_tables_are_what_their_column_says(tmp_path, version, dictionary):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    columns = {"x": [float(i % 7) for i in range(5000)], "said": ["walk on"] * 4999 + [None], "list": [[1, 2]] * 5000}
    pq.write_table(
        pyarrow.table(columns), path, data_page_version=version, use_dictionary=dictionary, data_page_size=1000,
        row_group_size=3000, compression="zstd", write_page_index=True, write_page_checksum=True,
    )  # fmt: skip
    pages = 0
    with pq.ParquetFile(path) as table, path.open("rb") as file:
        for group in range(table.num_row_groups):
            for number in range(3):
                column = table.metadata.row_group(group).column(number)
                check_column(file, column, path, column.total_uncompressed_size)
                begin = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
                at, values, unpacked = begin, 0, 0
                while at < begin + column.total_compressed_size:
                    page = read_header(file, at, "here")
                    at += page.header + page.packed
                    values, unpacked, pages = values + page.values, unpacked + page.header + page.unpacked, pages + 1
                assert values == column.num_values
                assert unpacked == column.total_uncompressed_size
    assert pages > 8


@pytest.mark.parametrize(
    ("content", "claims", "said"),
    [
        (header(1001, 0, 10), {}, "page 0: up to here it claims to unpack to 1,001 bytes"),
        (header(600, 0, 4) * 2, {}, "page 1: up to here it claims to unpack to 1,200 bytes"),
        (header(2**30, 0, 10), {"most": 2**31}, "page 0: up to here it claims"),
        (header(50, 0, 11), {}, "11 values of 10"),
        (header(50, 9, 10), {}, "reaches beyond its column"),
        (header(-1, 0, 10), {}, "negative"),
        (header(50, -5, 10), {}, "negative"),
        (header(50, 0, -1), {}, "negative"),
        (b"\x00" * 8, {}, "lacks a size"),
        (i32(0) + i32(50) + i32(0), {}, "without an end"),
        (b"\x15" + b"\xff" * 80, {}, "number without an end"),
        (header(50, 0, 10, b"\x28" + varint(2**40)), {}, "without an end"),
        (header(50, 0, 10, b"\x29\xf9" + varint(2**60)), {}, "without an end"),
        (header(50, 0, 10, b"\x29" + b"\x19" * 5000), {}, "nested too deeply"),
        (header(50, 0, 10, b"\x1c" * 5000), {}, "nested too deeply"),
        (header(50, 0, 10, b"\x2b\x00"), {}, "kind 11"),
        (header(1, 0, 0) * 100_001, {"most": 2**30}, "page 100000"),
        (header(1, 0, 10), {"unpacked": 1001}, "claims 1,001 bytes in one column"),
        (header(1, 0, 10), {"values": 2**40}, "values in one column"),
    ],
)
def test_claims_that_cannot_be_are_refused_with_the_place(content, claims, said):
    with pytest.raises(BadFile, match=said) as caught:
        check(content, **claims)
    assert str(PATH) in str(caught.value)


def test_fields_that_are_not_needed_are_passed_by():
    truths, texts = b"\x29\x31\x01\x02\x01", b"\x19\x28\x02hi\x01x"
    scalars = b"\x11" + b"\x12" + b"\x13\x07" + b"\x14\x02" + b"\x16\x02" + b"\x17" + bytes(8)
    check(header(50, 0, 10, truths + texts + scalars + b"\x08\x28\x02no"))


def test_a_header_that_claims_a_long_text_takes_no_memory_for_it():
    content = header(50, 0, 10, b"\x28" + varint(2**34)) + bytes(100)
    tracemalloc.start()
    try:
        with pytest.raises(BadFile, match="without an end"):
            check(content)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
