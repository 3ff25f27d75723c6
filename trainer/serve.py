"""Answers live pictures with actions over `db.wire`: one client at a time, one pass of the model per picture.

The first line on stdout is {"address": ..., "key_file": ...}. Then, per client: hello, with `keys`, `temperature` or
`steadiness` where it wants other than the server's own -> ready; instruction and reset are not answered; frame -> action;
bye ends it. What is not understood is answered with `error` and ends the client.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from db.errors import BadArgument, WireError
from db.store import Store
from db.wire import Message, Peer, Server, new_key
from trainer.models import Loaded, load_model
from trainer.play import KeyChoice, Player, Sampling, open_player, read_sampling


class _Stopped(Exception):
    """SIGTERM, SIGINT, or nobody came for too long."""


def serve(
    store: Store,
    model_id: str,
    *,
    address: str | None = None,
    key_file: Path | None = None,
    keys: KeyChoice = "sample",
    temperature: float = 1.0,
    steadiness: float = 0.9,
    threads: int = 1,
    idle_s: float = 600.0,
    seed: int = 0,
    device: torch.device | None = None,
) -> None:
    """Serves until it is stopped, or until nobody was connected for `idle_s` seconds.

    address: a socket's path or HOST:PORT, by default a local one of its own. key_file: where the secret is written,
    readable by its owner only. threads: few, so that the game keeps its share of the processor.
    Raises NotFound, BadFile, BadArgument where the model is no policy, WireError where the address is taken.
    """
    torch.set_num_threads(threads)
    loaded = load_model(store, model_id, device)
    if loaded.card.kind != "policy":
        raise BadArgument(f"Model {model_id} is an {loaded.card.kind}; only a policy can play.")
    usual = read_sampling({"keys": keys, "temperature": temperature, "steadiness": steadiness})

    def open_client() -> Client:
        return Client(loaded, usual, seed)

    _warm_up(open_client().stream)
    with tempfile.TemporaryDirectory(prefix="playtape-serve-") as folder:
        path = key_file or Path(folder) / "key"
        server = Server(parse_address(address), new_key(path))
        before = [signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGINT)]
        print(json.dumps({"address": format_address(server.address), "key_file": str(path)}), flush=True)
        try:
            _accept(server, open_client, idle_s)
        except _Stopped:
            return
        finally:
            for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
                signal.signal(number, handler)
            server.close()


class Client:
    """What is known of one client: how it wants actions drawn, and what it has seen."""

    def __init__(self, loaded: Loaded, sampling: Sampling, seed: int) -> None:
        self.loaded, self.sampling, self._seed = loaded, sampling, seed
        self.stream = open_player(loaded, sampling, seed=seed)

    def draw_as(self, asked: Mapping[str, Any]) -> None:
        """Begins anew where the client wants actions drawn otherwise than the server's options say. Raises BadArgument."""
        if asked:
            self.sampling = read_sampling(asked, self.sampling)
            self.stream = open_player(self.loaded, self.sampling, seed=self._seed)


def answer(peer: Peer, client: Client) -> None:
    """Talks with one client until it says bye, breaks a rule or is gone."""
    while True:
        try:
            message = peer.receive(None)
            if message.kind == "bye":
                return
            _reply(peer, message, client)
        except WireError:
            return
        except BadArgument as error:
            with contextlib.suppress(WireError):
                peer.send("error", {"message": str(error)})
            return


def parse_address(text: str | None) -> str | tuple[str, int] | None:
    """HOST:PORT as a pair, anything else as a path. Raises BadArgument for a port that cannot be."""
    if text is None or "/" in text or "\\" in text or ":" not in text:
        return text
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise BadArgument(f"{text!r} is no address; give HOST:PORT or the path of a socket.")
    return host or "127.0.0.1", int(port)


def format_address(address: str | tuple[str, int]) -> str:
    """What `parse_address` reads."""
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


def _accept(server: Server, open_client: Callable[[], Client], idle_s: float) -> None:
    while True:
        idle = threading.Timer(idle_s, os.kill, (os.getpid(), signal.SIGTERM))
        idle.daemon = True
        idle.start()
        try:
            peer = server.accept()
        finally:
            idle.cancel()
        if peer is None:
            return
        try:
            answer(peer, open_client())
        finally:
            peer.close()


def _reply(peer: Peer, message: Message, client: Client) -> None:
    card, stream = client.loaded.card, client.stream
    match message.kind:
        case "hello":
            client.draw_as(message.fields)
            facts = {"clip": card.clip.model_dump(mode="json"), "space": card.space.model_dump(mode="json")}
            facts |= {"sampling": client.stream.sampling}
            peer.send("ready", {**facts, "model": card.id, "actor": f"model:{card.id}"})
        case "instruction":
            stream.instruct(str(message.fields.get("text", "")))
        case "reset":
            stream.reset()
        case "frame":
            if len(message.payload) != stream.frame_bytes:
                size = "x".join(map(str, card.clip.size_px))
                raise BadArgument(
                    f"A picture must be {size} RGB: {stream.frame_bytes} bytes, not {len(message.payload)}."
                )
            chosen = stream.see(message.payload)
            action = {"down": list(chosen.down), "dx": chosen.dx, "dy": chosen.dy, "infer_ns": chosen.infer_ns}
            peer.send("action", {"index": message.fields.get("index"), **action})
        case _:
            raise BadArgument(f"A server of policies does not understand {message.kind!r}.")


def _warm_up(stream: Player) -> None:
    """The first passes are slow; no client shall wait for them."""
    for _ in range(3):
        stream.see(bytes(stream.frame_bytes))


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped
