"""OWAMcap files that are damaged, cut off or made to do harm, byte by byte."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest

from db.errors import BadFile
from db.formats.owamcap.mcapreader import MAGIC, McapReader
from owamcaps import (
    COUNT,
    HEADER,
    SCREENS,
    T0,
    bring,
    chunk,
    others_folder,
    pressed,
    record_of,
    refused,
    store_file,
    text,
)
from recordings import KEY_W


@pytest.fixture
def folder(store, tmp_path):
    return others_folder(store, tmp_path / "others")


def zeros_packed(count: int) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    return bytes(pyarrow.Codec("zstd").compress(bytes(count)))


BYTES = {
    "another file": (lambda: b"PK\x03\x04" * 9, "not an MCAP"),
    "nothing": (lambda: b"", "not an MCAP"),
    "the magic alone": (lambda: MAGIC, "header"),
    "no header": (lambda: MAGIC + record_of(5, b"x" * 30), "header"),
    "the header alone": (lambda: HEADER, "byte 28, where it is cut off"),
    "zeros to the end": (lambda: HEADER + bytes(5000), "byte 28, where it is cut off"),
    "an endless record": (
        lambda: HEADER + record_of(6, b"x" * 99, claimed=2**63),
        "claims 9,223,372,036,854,775,808 bytes",
    ),
    "a record that is cut off": (lambda: HEADER + record_of(6, b"x" * 99)[:50], "byte 28"),
    "half a head": (lambda: HEADER + b"\x06\x01", "cut off"),
    "a chunk of 2^60": (
        lambda: HEADER + record_of(6, b"x" * 99, claimed=2**60),
        "claims 1,152,921,504,606,846,976 bytes",
    ),
    "an endless record of no use": (
        lambda: HEADER + record_of(9, b"x" * 99, claimed=2**63),
        "byte 28, where it is cut off",
    ),
    "a channel of two topics": (
        lambda: (
            HEADER + b"".join(record_of(4, struct.pack("<HH", 1, 0) + text(name)) for name in (b"screen", b"keyboard"))
        ),
        "channel 1 is given another topic",
    ),
    "too many channels": (
        lambda: HEADER + b"".join(record_of(4, struct.pack("<HH", i, 0) + text(b"x")) for i in range(5000)),
        "over 4096 channels",
    ),
    "our metadata without end": (
        lambda: HEADER + record_of(0x0C, text(b"playtape") + text(bytes(17 << 20))),
        "metadata 'playtape' has",
    ),
    "our metadata of a million words": (
        lambda: (
            HEADER
            + record_of(0x0C, text(b"playtape") + text(b"".join(text(b"%d" % i) + text(b"") for i in range(110_000))))
        ),
        "over 100,000 texts",
    ),
    "a name without end": (lambda: HEADER + record_of(4, struct.pack("<HHI", 1, 0, 2**31)), "name has"),
    "a message of no channel": (lambda: HEADER + record_of(5, struct.pack("<HIQQ", 7, 0, 0, 0)), "channel 7"),
    "a short message": (lambda: HEADER + record_of(5, b"x"), "shorter"),
    "a chunk with half a record": (lambda: HEADER + chunk(record_of(5, b"x" * 30)[:20]), "shorter"),
    "a damaged chunk": (
        lambda: HEADER + chunk(record_of(3, b"\x01\x00"), crc=5),
        "outside the damaged chunk at byte 28",
    ),
    "an unknown packing": (lambda: HEADER + chunk(b"x", b"brotli"), "brotli"),
    "junk that is packed": (lambda: HEADER + chunk(b"x" * 50, b"zstd", 100), "outside the damaged chunk"),
    "a bomb that says so": (lambda: HEADER + chunk(zeros_packed(10**6), b"zstd", 2**40), "claims to unpack to"),
    "a bomb that does not": (
        lambda: HEADER + chunk(zeros_packed(300 << 20), b"zstd", 1000),
        "outside the damaged chunk",
    ),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_cannot_be_are_refused_with_the_place(store, folder, name):
    make, said = BYTES[name]
    content = make()
    path = folder / "a.mcap"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        refused(store, path, said)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def places_of(content: bytes, kind: int) -> list[int]:
    """Where the records of a kind begin."""
    found, place = [], len(MAGIC)
    while place < len(content) - len(MAGIC):
        here, length = struct.unpack_from("<BQ", content, place)
        found += [place] * (here == kind)
        place += 9 + length
    return found


@pytest.mark.parametrize("packed", [True, False])
def test_millions_of_messages_in_a_small_chunk_take_little_memory(folder, packed):
    """A bomb of a chunk: what it unpacks to is held, and of each message three numbers."""
    channel = record_of(4, struct.pack("<HH", 1, 0) + text(b"mouse") + text(b"json") + bytes(4))
    records = channel + record_of(5, struct.pack("<HIQQ", 1, 0, 5, 5)) * 100_000
    if packed:
        pyarrow = pytest.importorskip("pyarrow")
        small = bytes(pyarrow.Codec("zstd").compress(records))
        head = struct.pack("<QQQI", 0, 0, len(records), 0) + text(b"zstd") + struct.pack("<Q", len(small))
        content = HEADER + record_of(6, head + small)
    else:
        content = HEADER + chunk(records)
    (folder / "a.mcap").write_bytes(content + record_of(0x0F, bytes(4)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in McapReader(folder / "a.mcap").messages()) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 24 << 20, (
            "a chunk of 3 MB, packed and not, and some numbers of a message"
        )
    finally:
        tracemalloc.stop()


def test_a_file_cut_off_anywhere_is_read_as_far_as_it_is_whole(folder):
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'  # ends a chunk
    messages = [*SCREENS[:3], (T0, "audio", big), *SCREENS[3:5], (T0, "audio", big), pressed(4.5, 0x57)]
    whole = store_file(folder / "a.mcap", messages).read_bytes()
    counts, lost = [], []
    for length in range(0, len(whole), max(len(whole) // 100, 1)):
        (folder / "a.mcap").write_bytes(whole[:length])
        if length < len(HEADER):
            with pytest.raises(BadFile, match=r"a\.mcap"):
                McapReader(folder / "a.mcap")
            continue
        reader = McapReader(folder / "a.mcap")
        counts.append(sum(1 for _ in reader.messages()))
        lost.append(reader.lost_from)
        assert reader.lost_from is None or reader.lost_from <= length
    assert counts == sorted(counts)
    assert set(counts) == {0, 4, 7, 8}, "chunk by chunk"
    assert None in lost, "one of which only the summary is cut off is whole"


def test_a_recorder_that_crashed_leaves_what_it_wrote(store, folder):
    """The inputs after the last whole chunk are not known, though the video goes on."""
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'
    early = [*SCREENS[:30], pressed(2.5, 0x57), pressed(9.5, 0x57, "release"), (T0 + 983_333_333, "audio", big)]
    path = store_file(folder / "a.mcap", [*early, *SCREENS[30:], pressed(40.5, 0x41)])
    whole = path.read_bytes()
    second = places_of(whole, 6)[1]
    path.write_bytes(whole[: second + 50])
    (report,) = bring(store, path, game="doom")
    assert report.outcome == "imported"
    (told,) = [why for why in report.dropped if "the end of the recording" in why]
    assert told.endswith(f"the file is whole up to byte {second:,} of {second + 50:,}")
    track = store.recording(report.session_id).resolve()
    assert np.flatnonzero(track.select([KEY_W])[:, 0]).tolist() == list(range(2, 9))
    assert track.known[:29].all()
    assert not track.known[30:].any()
    assert len(track) == COUNT


@pytest.mark.parametrize("damaged", [0, 1, 2, 3])
def test_a_damaged_chunk_costs_what_it_told_and_no_more(store, folder, damaged):
    """Four chunks of fifteen pictures; a key is held from the first into the third, the state of the keys is told in the third."""
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'  # ends a chunk
    messages = [
        *SCREENS,
        pressed(2.5, 0x57),
        pressed(35.5, 0x57, "release"),
        pressed(33.5, 0x41),
        pressed(50.5, 0x41, "release"),
    ]
    messages += [(T0 + 1_000_000_001, "keyboard/state", {"buttons": [0x57]}), pressed(58.5, 0x44)]
    messages += [(SCREENS[i][0] + 1, "audio", big) for i in (14, 29, 44)]
    path = store_file(folder / "a.mcap", sorted(messages, key=lambda message: message[0]))
    whole = bytearray(path.read_bytes())
    places = places_of(whole, 6)
    assert len(places) == 4
    whole[places[damaged] + 200] ^= 1
    path.write_bytes(whole)
    (report,) = bring(store, path, game="doom")
    assert report.dropped.pop("damaged chunks; inputs within the time that they were about are not known") == 1
    lost = slice(15 * damaged, 15 * damaged + 15)
    track = store.recording(report.session_id).resolve()
    assert len(track) == COUNT
    expected = np.ones(COUNT, np.bool_)
    expected[lost] = False
    unknown = np.flatnonzero(~track.known)
    assert set(unknown) - set(np.flatnonzero(~expected)) <= {15 * damaged - 1}, "from the last message before it on"
    assert not track.known[lost].any()
    w = [*range(2, 35)] if damaged else [*range(30, 35)]  # what the state of the keys tells again
    held = {0: w, 1: [i for i in w if i < 14 or i >= 30], 2: [i for i in w if i < 29], 3: w}[damaged]
    assert np.flatnonzero(track.select([KEY_W])[:, 0] & track.known).tolist() == held


def test_a_file_whose_chunks_are_all_damaged_is_refused_with_the_place(store, folder):
    path = store_file(folder / "a.mcap", SCREENS)
    whole = bytearray(path.read_bytes())
    (place,) = places_of(whole, 6)
    whole[place + 60] ^= 1
    path.write_bytes(whole)
    refused(store, path, f"outside the damaged chunk at byte {place}")
