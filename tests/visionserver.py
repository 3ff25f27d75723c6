"""A stand-in for a vision model's server: a real HTTP server in a thread that answers as it is told, badly too."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler", dict[str, Any]], None]


@dataclass
class StandIn:
    """What it was asked, and how it answers."""

    answer: Answer
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    base_url: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    """Set at the end, so that answers that hang come to one."""


class Handler(BaseHTTPRequestHandler):
    stand_in: StandIn

    def do_POST(self) -> None:
        self.stand_in.paths.append(self.path)
        self.stand_in.headers.append({name.lower(): value for name, value in self.headers.items()})
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.stand_in.asked.append(body)
        try:
            self.stand_in.answer(self, body)
        except OSError:
            self.close_connection = True  # whoever asked has hung up

    def give(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def say(self, text: str) -> None:
        """A chat completion with this text."""
        self.give(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


def pictures_of(body: dict[str, Any]) -> list[str]:
    """The data: URLs of a chat request."""
    parts = body["messages"][1]["content"]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def text_of(body: dict[str, Any]) -> str:
    return str(body["messages"][1]["content"][0]["text"])


def times_of(body: dict[str, Any]) -> tuple[float, float]:
    """The first and the last picture's time, as the request's text tells them."""
    words = text_of(body).split()
    return float(words[words.index("from") + 1]), float(words[words.index("to") + 1])


def watch(handler: Handler, body: dict[str, Any]) -> None:
    """Answers well: one instruction over the pictures, and a narrative."""
    first, last = times_of(body)
    said = {"start_s": first, "end_s": last, "text": f"walk on from second {first:.0f}"}
    handler.say(json.dumps({"instructions": [said], "narrative": f"It is second {first:.0f}."}))


def says(text: str) -> Answer:
    return lambda handler, body: handler.say(text)


@contextmanager
def serve(answer: Answer = watch) -> Iterator[StandIn]:
    """Runs on a free port of this machine until the end of the block."""
    stand_in = StandIn(answer)
    handler = type("ToldHandler", (Handler,), {"stand_in": stand_in})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    stand_in.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
