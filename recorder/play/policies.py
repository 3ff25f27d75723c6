"""Who decides: a model behind `trainer serve`, or a yardstick: random, no-op, repeat last."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from db.clock import now_ns
from db.errors import WireError
from db.media.resize import Picture
from db.recording import keys
from db.specs import ActionSpace, ClipSpec
from db.wire import Message, Peer
from db.yardsticks import open_yardstick

ANSWER_S = 10.0
DEFAULT_SPACE = ActionSpace(
    codes=tuple(keys.parse(name) for name in ("KEY_W", "KEY_A", "KEY_S", "KEY_D", "KEY_SPACE", "BTN_LEFT")),
    dx_edges=(-20.0, 0.0, 20.0),
    dx_values=(-40.0, -10.0, 10.0, 40.0),
)
"""What a yardstick uses where no model says: the common keys of a first-person game, and turning."""


@dataclass(frozen=True)
class Decision:
    """What to hold (evdev codes) and how far to move in device counts, until the next decision."""

    down: frozenset[int] = frozenset()
    dx: float = 0.0
    dy: float = 0.0
    infer_ns: int = 0


class Policy(Protocol):
    """Decides once a tick. One thread uses it."""

    @property
    def clip(self) -> ClipSpec:
        """What it sees, and how often."""
        ...

    @property
    def name(self) -> str:
        """The name of the actor: a model's id, or a yardstick's."""
        ...

    @property
    def sampling(self) -> Mapping[str, Any]:
        """How it draws its actions; empty where it does not say, or draws none."""
        ...

    def instruct(self, text: str) -> None:
        """What it shall do from the next picture on. Raises WireError where nobody answers."""
        ...

    def decide(self, rgb: Picture, index: int, t_ns: int) -> Decision:
        """rgb: (H, W, 3) uint8 of `clip.size_px`; t_ns: its stamp. Raises WireError where nobody answers."""
        ...

    def close(self) -> None: ...


class ServedPolicy:
    """A model behind `db.wire`: see `trainer serve`."""

    def __init__(self, peer: Peer, sampling: Mapping[str, Any] | None = None) -> None:
        """sampling: how actions are drawn, where that is not to be as the server's own options say.

        Raises WireError where the server is not one that plays, or does not draw as it is asked to.
        """
        self._peer = peer
        peer.send("hello", dict(sampling or {}))
        ready = _expect(peer.receive(ANSWER_S), "ready")
        self.sampling: Mapping[str, Any] = dict(ready.fields.get("sampling") or {})
        if sampling and not self.sampling:
            raise WireError(f"The model's server takes no {', '.join(sampling)} from a client; update it.")
        try:
            self.clip = ClipSpec.model_validate(ready.fields["clip"])
            self.space = ActionSpace.model_validate(ready.fields["space"])
            self.name = str(ready.fields["model"])
        except (KeyError, ValidationError):
            raise WireError("The model's server did not say what it sees and does; update it.") from None
        peer.send("reset")

    def instruct(self, text: str) -> None:
        self._peer.send("instruction", {"text": text})

    def decide(self, rgb: Picture, index: int, t_ns: int) -> Decision:
        self._peer.send("frame", {"index": index, "t_ns": t_ns}, rgb.tobytes())
        answer = _expect(self._peer.receive(ANSWER_S), "action")
        try:
            fields = answer.fields
            if fields["index"] != index:
                raise WireError(f"The model's server answered frame {fields['index']} instead of {index}.")
            down = frozenset(int(code) for code in fields["down"])
            return Decision(down, float(fields["dx"]), float(fields["dy"]), int(fields["infer_ns"]))
        except (KeyError, TypeError, ValueError):
            raise WireError("The model's server sent an action that cannot be read; update it.") from None

    def close(self) -> None:
        with suppress(WireError):  # it may be gone already
            self._peer.send("bye")
        self._peer.close()


class YardstickPolicy:
    """One of `db.yardsticks`, which looks at nothing."""

    def __init__(self, name: str, clip: ClipSpec, space: ActionSpace = DEFAULT_SPACE, seed: int = 0) -> None:
        self.name, self.clip = name, clip
        self.sampling: Mapping[str, Any] = {}
        self._yardstick = open_yardstick(name, space, seed)

    def instruct(self, text: str) -> None:
        pass

    def decide(self, rgb: Picture, index: int, t_ns: int) -> Decision:
        began_ns = now_ns()
        deed = self._yardstick.act()
        return Decision(deed.down, deed.dx, deed.dy, now_ns() - began_ns)

    def close(self) -> None:
        pass


def _expect(message: Message, kind: str) -> Message:
    if message.kind == "error":
        raise WireError(f"The model's server refused: {message.fields.get('message', 'no reason given')}")
    if message.kind != kind:
        raise WireError(f"The model's server said {message.kind!r} where {kind!r} was due.")
    return message
