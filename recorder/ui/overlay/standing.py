"""How a play stands, as its overlay shows it: one word, one shape, one colour for who is in control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recorder.ui.live.faces import Face, Shape
from recorder.ui.theme import AMBER, BLUE, GREEN, VIOLET

FACES = {
    "model": Face("The model plays", Shape.PLAY, GREEN, "Touch a key or the mouse to take over."),
    "person": Face("You play", Shape.DISC, BLUE, "F11 gives control back to the model."),
    "paused": Face("Paused", Shape.BARS, VIOLET, "An instruction is being typed; the model waits."),
    "away": Face("Waiting", Shape.HOURGLASS, AMBER, "The game has not got the focus; the model goes on when it has."),
    "over": Face("Ending", Shape.SQUARE, None, "The play is over; the session is being put away."),
}


@dataclass(frozen=True)
class Standing:
    """What a play answers to `status` (see `recorder.play.play.Play.status`)."""

    mode: str = "away"
    model: str = ""
    instruction: str = ""
    words: tuple[tuple[str, str], ...] = ()
    """(label of the key, text)."""
    down: tuple[str, ...] = ()
    motion: tuple[float, float] = (0.0, 0.0)
    """Device counts of the present tick, right and down."""
    rate_hz: float = 0.0
    wanted_hz: float = 0.0
    latency_ms: float = 0.0
    late_per_minute: float | None = None
    window_id: int | None = None

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Standing:
        dx, dy = fields["motion"]
        return cls(
            mode=str(fields["mode"]),
            model=str(fields["model"]),
            instruction=str(fields["instruction"]),
            words=tuple((str(key), str(text)) for key, text in fields["words"]),
            down=tuple(map(str, fields["down"])),
            motion=(float(dx), float(dy)),
            rate_hz=float(fields["rate_hz"]),
            wanted_hz=float(fields["wanted_hz"]),
            latency_ms=float(fields["latency_ms"]),
            late_per_minute=fields["late_per_minute"],
            window_id=fields["window_id"],
        )

    @property
    def face(self) -> Face:
        return FACES.get(self.mode, FACES["away"])

    @property
    def is_slow(self) -> bool:
        """Whether it decides clearly less often than it is made for."""
        return 0 < self.rate_hz < 0.9 * self.wanted_hz

    @property
    def pace(self) -> str:
        """The rate and the latency, for one line."""
        if not self.rate_hz:
            return "waiting for pictures"
        late = f"{self.late_per_minute:.0f} late/min" if self.late_per_minute else "none late"
        return f"{self.rate_hz:.0f} of {self.wanted_hz:g} Hz  ·  {self.latency_ms:.0f} ms  ·  {late}"
