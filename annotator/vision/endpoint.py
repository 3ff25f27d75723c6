"""Asks an endpoint that speaks the chat-completions protocol. Pictures go to the host that was named, and nowhere else.

No redirect is followed and no proxy of the environment is used; certificates are checked; an answer has a limit of size
and of time. The standard library does all of it, so that nothing further has to be trusted with the key.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from annotator.vision.failures import BadReply, VisionBusy, VisionFailed
from annotator.vision.patience import Cancelled, Patience
from annotator.vision.reply import plain
from annotator.vision.request import Request
from annotator.vision.setup import VisionSetup

MOST_BYTES = 4 * 2**20
CONNECT_S = 15.0
MOST_WAIT_S = 120.0
_SHOWN = 200
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


def ask_endpoint(setup: VisionSetup, request: Request, cancelled: Cancelled) -> str:
    """POSTs one chat and returns what the model wrote.

    Raises VisionFailed, VisionBusy where it may work later, BadReply for an answer that is no chat completion, Stopped.
    """
    url, key = setup.address(), setup.read_key()
    body = json.dumps(_chat(setup.model, request)).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "playtape"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    line = _Line()
    with Patience(setup.timeout_s, cancelled, line.cut) as patience:
        try:
            connection = line.open(setup)
            connection.request("POST", f"{url.path.rstrip('/')}/chat/completions", body, headers)
            with connection.getresponse() as response:
                answer = _read(response, url.hostname or "")
        except UnicodeError:
            raise VisionFailed(f"{url.hostname} is no name of a host; mend the address in the set-up.") from None
        except (OSError, http.client.HTTPException) as error:
            patience.check()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise VisionFailed(f"{url.hostname} does not prove who it is: {error.verify_message}.") from None
            raise VisionBusy(f"{url.hostname} cannot be reached: {_reason(error)}.") from None
        finally:
            line.close()
        patience.check()
    return _content(answer)


def _chat(model: str, request: Request) -> dict[str, object]:
    parts: list[dict[str, object]] = [{"type": "text", "text": request.text}]
    for shot in request.shots:
        data = base64.b64encode(shot.jpeg).decode("ascii")
        parts.append({"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}})
    messages = [{"role": "system", "content": request.system}, {"role": "user", "content": parts}]
    return {"model": model, "messages": messages, "stream": False}


@dataclass
class _Line:
    """The connection of one request, which another thread may cut at any moment."""

    _socket: socket.socket | None = field(default=None)
    _connection: http.client.HTTPConnection | None = field(default=None)
    _is_cut: bool = False

    def open(self, setup: VisionSetup) -> http.client.HTTPConnection:
        """Raises OSError, VisionFailed."""
        url = setup.address()
        host = url.hostname or ""
        port = url.port or (443 if url.scheme == "https" else 80)
        plain_socket = self._connect(host, port)
        if setup.stays_here and not _is_own(plain_socket):
            raise VisionFailed(f"{host} is not this machine here, so nothing was sent; write its address in full.")
        connection: http.client.HTTPConnection = http.client.HTTPConnection(host, port)
        if url.scheme == "https":
            secure = ssl.create_default_context().wrap_socket(
                plain_socket, server_hostname=host, do_handshake_on_connect=False
            )
            self._socket = secure
            secure.do_handshake()
        assert self._socket is not None
        self._socket.settimeout(max(setup.timeout_s, CONNECT_S))
        connection.sock = self._socket
        connection.auto_open = 0  # a connection that ends is not made again behind our back
        self._connection = connection
        return connection

    def _connect(self, host: str, port: int) -> socket.socket:
        failure: OSError = OSError("it has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if self._is_cut:
                break
            made = socket.socket(family, kind, protocol)
            self._socket = made
            made.settimeout(CONNECT_S)
            try:
                made.connect(address)
            except OSError as error:
                failure = error
                made.close()
            else:
                return made
        raise failure

    def cut(self) -> None:
        """Makes whoever waits for it fail at once."""
        self._is_cut = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Of a TLS socket the plain one is meant: no farewell is waited for.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._socket is not None:
            self._socket.close()


def _is_own(connected: socket.socket) -> bool:
    address = str(connected.getpeername()[0]).split("%")[0]
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


def _read(response: http.client.HTTPResponse, host: str) -> bytes:
    """The body of a good answer; every other status is an error of its own."""
    status = response.status
    if 300 <= status < 400:
        there = plain(response.headers.get("Location") or "elsewhere")[:_SHOWN]
        raise VisionFailed(
            f"{host} wants to send the pictures on to {there}, which was not done; if that is right, set it up."
        )
    body = _read_some(response)
    if status in _BUSY:
        raise VisionBusy(f"{host} is busy or broken (status {status}{_said(body)}).", _wait_s(response.headers))
    if status in (401, 403):
        raise VisionFailed(f"{host} does not accept the key (status {status}{_said(body)}); check it in the set-up.")
    if status == 404:
        raise VisionFailed(
            f"{host} knows no such model or address (status 404{_said(body)}); check both in the set-up."
        )
    if status == 413:
        raise VisionFailed(f"{host} finds the request too large; set fewer frames a request, or smaller pictures.")
    if status != 200:
        raise VisionFailed(f"{host} refused the request (status {status}{_said(body)}).")
    return body


def _read_some(response: http.client.HTTPResponse) -> bytes:
    parts, count = [], 0
    while part := response.read1(65536):
        count += len(part)
        if count > MOST_BYTES:
            raise BadReply(f"The answer is longer than {MOST_BYTES // 2**20} MiB and was not read to its end.")
        parts.append(part)
    return b"".join(parts)


def _content(body: bytes) -> str:
    """What the model wrote, in the envelope of the protocol."""
    try:
        answer: Any = json.loads(body)
        message: Any = answer["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError):
        shown = plain(body[:2000].decode(errors="replace"))[:_SHOWN]
        raise BadReply(f"The answer is no chat completion but: {shown or 'nothing'}") from None
    if isinstance(message, list):  # some servers answer in parts
        texts = [part.get("text") for part in message if isinstance(part, dict)]
        message = "".join(text for text in texts if isinstance(text, str))
    if not isinstance(message, str):
        raise BadReply("The answer is a chat completion without text.")
    return message


def _said(body: bytes) -> str:
    """What a refusal says of itself, in as few words as there are."""
    try:
        answer: Any = json.loads(body)
        error = answer.get("error", answer) if isinstance(answer, dict) else ""
        text = error.get("message", "") if isinstance(error, dict) else error
    except (ValueError, RecursionError):
        return ""
    shown = plain(text)[:_SHOWN] if isinstance(text, str) else ""
    return f": {shown}" if shown else ""


def _wait_s(headers: Message) -> float | None:
    try:
        wait_s = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return min(max(wait_s, 0.0), MOST_WAIT_S) if wait_s == wait_s else None


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, http.client.HTTPException):
        return "it does not speak HTTP, or hung up"
    return plain(getattr(error, "strerror", None) or str(error))[:_SHOWN] or type(error).__name__
