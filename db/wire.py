"""How Playtape's programs talk: a versioned JSON header and raw bytes over an authenticated socket. No pickle.

The transport is `multiprocessing.connection` used for bytes only: a Unix socket, a Windows pipe, or TCP, with a mutual
HMAC challenge on a shared key.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import struct
import threading
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any

from db.errors import BadFile, WireError, from_os_error

VERSION = 1
MAX_BYTES = 64 * 1024 * 1024
HANDSHAKE_S = 5.0
_HEADER = struct.Struct("<4sHI")  # magic, version, length of the JSON that follows
_MAGIC = b"PTAP"


@dataclass(frozen=True)
class Message:
    """One message: its kind, its JSON fields and its raw bytes."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""


def encode(message: Message) -> bytes:
    """Raises WireError where the message is larger than a peer would take, ValueError where a field is called `kind`."""
    if "kind" in message.fields:
        raise ValueError("a field cannot be called kind")
    head = json.dumps({"kind": message.kind, **message.fields}).encode()
    size = _HEADER.size + len(head) + len(message.payload)
    if size > MAX_BYTES:
        raise WireError(f"A message of {size} bytes is larger than the {MAX_BYTES} that one may have.")
    return _HEADER.pack(_MAGIC, VERSION, len(head)) + head + message.payload


def decode(raw: bytes) -> Message:
    """Raises WireError where the bytes are not a message of this version."""
    if len(raw) < _HEADER.size:
        raise WireError("The other program sent something that is not a Playtape message.")
    magic, version, length = _HEADER.unpack_from(raw)
    if magic != _MAGIC or _HEADER.size + length > len(raw):
        raise WireError("The other program sent something that is not a Playtape message.")
    if version != VERSION:
        raise WireError(f"The other program speaks version {version}, this one {VERSION}; update the older one.")
    try:
        fields = json.loads(raw[_HEADER.size : _HEADER.size + length])
        kind = fields.pop("kind")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise WireError("The other program sent a message without a readable header.") from None
    return Message(str(kind), fields, raw[_HEADER.size + length :])


class Peer:
    """One end of a connection. One thread sends and one receives at most."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection

    def send(self, kind: str, fields: dict[str, Any] | None = None, payload: bytes = b"") -> None:
        """Raises WireError where the peer is gone or the message is too large."""
        raw = encode(Message(kind, fields or {}, payload))
        try:
            self._connection.send_bytes(raw)
        except (OSError, ValueError) as error:
            raise WireError(f"The other program is gone ({error}).") from None

    def receive(self, timeout_s: float | None = None) -> Message:
        """The next message. Raises WireError where the peer is gone, silent for too long or not understood."""
        try:
            if not self._connection.poll(timeout_s):
                assert timeout_s is not None
                raise WireError(f"The other program did not answer within {timeout_s:g} s.")
            return decode(self._connection.recv_bytes(MAX_BYTES))
        except (EOFError, OSError) as error:
            raise WireError(f"The other program ended the connection ({error or 'closed'}).") from None

    def wait(self, timeout_s: float) -> bool:
        """Whether there is something to receive, a farewell included, within this time. Raises WireError."""
        try:
            return bool(self._connection.poll(timeout_s))
        except (EOFError, OSError) as error:
            raise WireError(f"The other program ended the connection ({error or 'closed'}).") from None

    def close(self) -> None:
        self._connection.close()


class Server:
    """Listens at one address. `address` is a path, a pipe's name or (host, port); by default a free local one.

    One thread accepts; any thread may close.
    """

    def __init__(self, address: str | tuple[str, int] | None, key: bytes) -> None:
        try:
            self._listener = Listener(address, backlog=16)
        except OSError as error:
            raise WireError(f"Cannot listen at {address}: {error}.") from None
        self.address: Any = self._listener.address
        self._key = key
        self._closed = threading.Event()
        self._accepting = threading.Lock()

    def accept(self) -> Peer | None:
        """Waits for the next peer that knows the key; None once the server was closed."""
        with self._accepting:
            while not self._closed.is_set():  # looked at after every visitor, so that `close` needs to send only one
                try:
                    connection = self._listener.accept()
                except OSError as error:
                    if self._closed.is_set():
                        break
                    raise WireError(f"Cannot accept connections any more: {error}.") from None
                if not self._closed.is_set() and self._know(connection):
                    return Peer(connection)
                connection.close()  # a stranger, or the one that woke this thread up; wait for the next
        return None

    def close(self) -> None:
        """Ends a waiting `accept` too. A second call does nothing."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._accepting.locked():
            with contextlib.suppress(OSError):  # closing a socket does not wake up who waits at it; a visitor does
                Client(self.address).close()
        with self._accepting:
            self._listener.close()

    def _know(self, connection: Connection[Any, Any]) -> bool:
        try:
            _shake_hands(connection, self._key, first=True)
        except (AuthenticationError, WireError):
            return False
        return True


def connect(address: str | tuple[str, int], key: bytes) -> Peer:
    """Raises WireError where nobody listens or answers, or the key is wrong."""
    try:
        connection = Client(address)
    except (OSError, EOFError) as error:
        raise WireError(f"Nobody answers at {address}: {error}.") from None
    try:
        _shake_hands(connection, key, first=False)
    except AuthenticationError:
        connection.close()
        raise WireError(f"The program at {address} does not accept this key.") from None
    except WireError as error:
        connection.close()
        raise WireError(f"Nobody of Playtape answers at {address}: {error}") from None
    return Peer(connection)


class _Patient:
    """A connection during the handshake: it waits for an answer, but not for ever."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self.send_bytes = connection.send_bytes

    def recv_bytes(self, most: int) -> bytes:
        if not self._connection.poll(HANDSHAKE_S):
            raise WireError(f"it said nothing for {HANDSHAKE_S:g} s.")
        return self._connection.recv_bytes(most)


def _shake_hands(connection: Connection[Any, Any], key: bytes, *, first: bool) -> None:
    """Proves the key both ways. Raises AuthenticationError for a wrong key, WireError for whatever is no handshake."""
    patient: Any = _Patient(connection)
    steps = [deliver_challenge, answer_challenge]
    try:
        for step in steps if first else reversed(steps):
            step(patient, key)
    except (AssertionError, ValueError, EOFError, OSError) as error:
        raise WireError(f"it did not shake hands ({error or type(error).__name__}).") from None


def new_key(path: Path) -> bytes:
    """Writes a fresh secret to `path`, readable by its owner only, and returns it. Raises DiskFull, StoreReadOnly."""
    key = secrets.token_hex(32).encode()
    try:
        path.unlink(missing_ok=True)  # an older file may be readable by others
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
    except OSError as error:
        raise from_os_error(error, path) from None
    return key


def read_key(path: Path) -> bytes:
    """Raises BadFile where there is no key."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise BadFile(f"The key {path} cannot be read: {error.strerror}.") from None
    if len(key) < 16:
        raise BadFile(f"{path} holds no key.")
    return key
