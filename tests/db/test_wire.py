from __future__ import annotations

import contextlib
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import wire
from db.errors import BadFile, WireError
from db.wire import Message, Peer, Server, connect, decode, encode, new_key, read_key

KEY = b"a shared secret of some length"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.text().filter(lambda name: name != "kind"), VALUES, max_size=4)


@given(st.text(), FIELDS, st.binary(max_size=300))
def test_messages_round_trip(kind: str, fields: dict[str, Any], payload: bytes) -> None:
    message = Message(kind, fields, payload)
    assert decode(encode(message)) == message


@given(st.binary(max_size=60))
def test_garbage_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        decode(raw)


@given(st.data())
def test_a_damaged_message_is_refused_or_read_but_never_a_crash(data: st.DataObject) -> None:
    raw = bytearray(encode(Message("frame", {"index": 5, "size": [3, 4]}, b"pixels")))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(WireError):
        assert isinstance(decode(bytes(raw)), Message)


@pytest.mark.parametrize("head", [b"[]", b"5", b"{}", b'"x"', b"[" * 5000, b"\xff", b"[1]"])
def test_headers_that_are_none_are_refused(head: bytes) -> None:
    raw = wire._HEADER.pack(b"PTAP", wire.VERSION, len(head)) + head
    with pytest.raises(WireError, match="without a readable header"):
        decode(raw)


def test_another_version_is_told() -> None:
    raw = bytearray(encode(Message("hello")))
    raw[4] = 9
    with pytest.raises(WireError, match="speaks version 9, this one 1; update the older one"):
        decode(bytes(raw))


def test_a_field_called_kind_is_a_bug() -> None:
    with pytest.raises(ValueError, match="kind"):
        encode(Message("a", {"kind": "b"}))


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server(None, KEY)
    yield opened
    opened.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def pair(server: Server, pool: ThreadPoolExecutor) -> tuple[Peer, Peer]:
    accepted = pool.submit(server.accept)
    client = connect(server.address, KEY)
    peer = accepted.result(20)
    assert peer is not None
    return peer, client


def test_both_ends_speak(server: Server, pool: ThreadPoolExecutor) -> None:
    there, here = pair(server, pool)
    pixels = bytes(range(256)) * 1000
    sent = pool.submit(here.send, "frame", {"index": 3}, pixels)  # more than the socket's buffer takes at once
    assert there.receive(20) == Message("frame", {"index": 3}, pixels)
    sent.result(20)
    there.send("action", {"keys": [17]})
    assert here.receive(20) == Message("action", {"keys": [17]})
    with pytest.raises(WireError, match=r"did not answer within 0\.01 s"):
        here.receive(0.01)
    here.close()
    there.close()


def test_over_tcp(pool: ThreadPoolExecutor) -> None:
    server = Server(("127.0.0.1", 0), KEY)
    there, here = pair(server, pool)
    here.send("hello")
    assert there.receive(20).kind == "hello"
    for end in (here, there, server):
        end.close()


def test_a_peer_that_is_gone(server: Server, pool: ThreadPoolExecutor) -> None:
    there, here = pair(server, pool)
    there.close()
    with pytest.raises(WireError, match="ended the connection"):
        here.receive(20)
    with pytest.raises(WireError, match="gone"):  # noqa: PT012
        for _ in range(10):
            here.send("frame", payload=bytes(1_000_000))
    here.close()
    with pytest.raises(WireError):
        here.send("frame")
    with pytest.raises(WireError):
        here.receive(0)


def test_oversized_messages(server: Server, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    there, here = pair(server, pool)
    with pytest.raises(WireError, match="larger than"):
        here.send("frame", payload=bytes(wire.MAX_BYTES))
    raw = encode(Message("frame", payload=bytes(5000)))
    monkeypatch.setattr(wire, "MAX_BYTES", 1000)
    sent = pool.submit(here._connection.send_bytes, raw)
    with pytest.raises(WireError):
        there.receive(20)
    sent.exception(20)
    here.close()
    there.close()


def test_garbage_from_a_peer(server: Server, pool: ThreadPoolExecutor) -> None:
    there, here = pair(server, pool)
    here._connection.send_bytes(b"GET / HTTP/1.1")
    with pytest.raises(WireError, match="not a Playtape message"):
        there.receive(20)
    here.close()
    there.close()


def test_strangers_do_not_get_in_and_do_not_stop_the_server(pool: ThreadPoolExecutor) -> None:
    server = Server(("127.0.0.1", 0), KEY)
    accepted = pool.submit(server.accept)
    with pytest.raises(WireError, match="does not accept this key"):
        connect(server.address, b"another secret of some length")
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x04junk", b"\xff\xff\xff\xff", b""):
        with socket.create_connection(server.address) as stranger:
            stranger.sendall(noise)
    Client(server.address).close()
    assert not accepted.done()
    friend = connect(server.address, KEY)
    peer = accepted.result(20)
    assert peer is not None
    for end in (peer, friend, server):
        end.close()


def test_a_stranger_who_says_nothing_does_not_hold_the_server(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "HANDSHAKE_S", 1.0)
    server = Server(("127.0.0.1", 0), KEY)
    with socket.create_connection(server.address) as stranger:
        accepted = pool.submit(server.accept)
        stranger.settimeout(30)
        while stranger.recv(1000):  # until the server hangs up
            pass
        friend = connect(server.address, KEY)
    peer = accepted.result(30)
    assert peer is not None
    for end in (peer, friend, server):
        end.close()


def test_closing_ends_a_waiting_accept(pool: ThreadPoolExecutor) -> None:
    server = Server(None, KEY)
    waiting = pool.submit(server.accept)
    while not server._accepting.locked():
        threading.Event().wait(0.001)
    server.close()
    assert waiting.result(20) is None
    assert server.accept() is None
    server.close()
    with pytest.raises(WireError, match="Nobody answers"):
        connect(server.address, KEY)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(WireError, match="Nobody answers"):
        connect(str(tmp_path / "socket"), KEY)
    with pytest.raises(WireError, match="Cannot listen"):
        Server(str(tmp_path / "no" / "such" / "folder"), KEY)


def test_keys_are_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old and open to all")
    path.chmod(0o644)
    key = new_key(path)
    assert read_key(path) == key
    assert new_key(path) != key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"short")
    with pytest.raises(BadFile, match="holds no key"):
        read_key(path)
    with pytest.raises(BadFile, match="cannot be read"):
        read_key(tmp_path / "missing")
