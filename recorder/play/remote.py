"""Where a running play can be reached by its owner's other programs: `playtape-play say`, and the overlay.

A local socket by `db.wire`, announced by a small file in the owner's cache folder. One asks, the play answers:
say {text} -> said {text}; status -> status {...}; type -> typing; resume {text or null} -> said {text}; whatever cannot
be done -> error {message}.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import platformdirs

from db.errors import BadArgument, BadFile, NotFound, PlaytapeError, WireError, from_os_error
from db.files import make_folder, replace_text
from db.wire import Message, Peer, Server, connect, new_key, read_key
from recorder.workers import Worker

ANSWER_S = 5.0
_LOOK_S = 0.2
_MOST_VISITORS = 16
_STALE_S = 7 * 24 * 3600.0


class Told(Protocol):
    """What a play lets others do."""

    def say(self, text: str) -> str: ...

    def begin_typing(self) -> None: ...

    def end_typing(self, text: str | None) -> str: ...

    def status(self) -> dict[str, Any]: ...


def plays_folder() -> Path:
    """Where the plays of this account are announced."""
    return platformdirs.user_cache_path("playtape", appauthor=False) / "plays"


class Remote(Worker):
    """Answers from `start` to `close`, every visitor in a thread of its own."""

    def __init__(self, play: Told, folder: Path | None = None) -> None:
        """folder: where to announce it. Raises WireError, DiskFull, StoreReadOnly."""
        super().__init__("remote")
        folder = folder or plays_folder()
        try:
            make_folder(folder)
        except OSError as error:
            raise from_os_error(error, folder) from None
        _clear(folder)
        self._play = play
        self._visitors: list[_Visitor] = []
        key_file = folder / f"{os.getpid()}.key"
        self.announcement = folder / f"{os.getpid()}.json"
        """The file by which the play is found."""
        self._server = Server(None, new_key(key_file))
        replace_text(self.announcement, json.dumps({"address": self._server.address, "key_file": str(key_file)}))

    def run(self) -> None:
        while (peer := self._server.accept()) is not None:
            self._visitors = [visitor for visitor in self._visitors if visitor.alive]
            if len(self._visitors) >= _MOST_VISITORS:
                peer.close()
                continue
            self._visitors.append(_Visitor(peer, self._play))
            self._visitors[-1].start()

    def close(self) -> None:
        forget(self.announcement)
        self._server.close()
        super().close()
        for visitor in self._visitors:
            visitor.close()


class _Visitor(Worker):
    """Talks with one program until it goes. What it began to type is given up with it."""

    def __init__(self, peer: Peer, play: Told) -> None:
        super().__init__("visitor")
        self._peer, self._play = peer, play
        self._is_typing = False

    def run(self) -> None:
        with suppress(WireError):
            while not self._stopping.is_set():
                if self._peer.wait(_LOOK_S):
                    self._answer(self._peer.receive(0))
        if self._is_typing:
            self._play.end_typing(None)
        self._peer.close()

    def _answer(self, message: Message) -> None:
        try:
            kind, fields = self._do(message)
        except BadArgument as error:
            kind, fields = "error", {"message": str(error)}
        self._peer.send(kind, fields)

    def _do(self, message: Message) -> tuple[str, dict[str, Any]]:
        match message.kind:
            case "say":
                return "said", {"text": self._play.say(str(message.fields.get("text", "")))}
            case "status":
                return "status", self._play.status()
            case "type":
                self._play.begin_typing()
                self._is_typing = True
                return "typing", {}
            case "resume":
                text = message.fields.get("text")
                said = self._play.end_typing(None if text is None else str(text))
                self._is_typing = False
                return "said", {"text": said}
        raise BadArgument(f"A play does not understand {message.kind!r}.")


def find_play(folder: Path | None = None) -> Peer:
    """A connection to the play that was begun last. Raises NotFound where none runs."""
    folder = folder or plays_folder()
    announced: dict[Path, float] = {}
    for path in folder.glob("*.json"):
        with suppress(OSError):  # it ended just now
            announced[path] = path.stat().st_mtime
    for path in sorted(announced, key=lambda path: announced[path], reverse=True):
        with suppress(PlaytapeError):  # its play was killed
            return join(path)
    raise NotFound("No play is running; start one with playtape-play, or the Play button of the library.")


def join(announcement: Path) -> Peer:
    """A connection to the play that this file announces. Raises BadFile, WireError."""
    try:
        facts = json.loads(announcement.read_text(encoding="utf-8"))
        address, key_file = str(facts["address"]), Path(facts["key_file"])
    except (OSError, ValueError, KeyError, TypeError):
        raise BadFile(f"{announcement} announces no play.") from None
    return connect(address, read_key(key_file))


def ask(peer: Peer, kind: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Asks a play and returns the answer's fields. Raises WireError, BadArgument where the play refuses."""
    peer.send(kind, fields)
    answer = peer.receive(ANSWER_S)
    if answer.kind == "error":
        raise BadArgument(str(answer.fields.get("message", "The play refused.")))
    return answer.fields


def _clear(folder: Path) -> None:
    """Forgets plays that were killed long ago; one that is alive is never so old."""
    now_s = time.time()
    for path in folder.glob("*.json"):
        with suppress(OSError):
            if now_s - path.stat().st_mtime > _STALE_S:
                forget(path)


def forget(announcement: Path) -> None:
    for path in (announcement, announcement.with_suffix(".key")):
        with suppress(OSError):
            path.unlink()
