"""A play while it goes on: what can be asked of it, and told to it, from other threads and other programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from db.errors import PlaytapeError
from db.recording.keys import label
from recorder.hotkeys import Hotkey
from recorder.play.control import Control, Deeds, Mode
from recorder.play.instructions import Instructions, checked
from recorder.play.ownkeys import GIVE_BACK, PANIC, SAY_NOTHING, TYPE, Word
from recorder.play.player import Player
from recorder.screen import windows
from recorder.take import Take


def deeds(
    control: Callable[[], Control],
    instructions: Instructions,
    words: Sequence[Word],
    *,
    on_panic: Callable[[], None],
    can_type: bool,
) -> Deeds:
    """What each of a play's own keys does. can_type: there is an overlay to type in."""

    def panic() -> None:
        control().end()
        on_panic()

    def telling(text: str) -> Callable[[], None]:
        def tell() -> None:
            instructions.change(text)

        return tell

    found: dict[Hotkey, Callable[[], None]] = {PANIC: panic, GIVE_BACK: lambda: control().give_back()}
    found[SAY_NOTHING] = telling("")
    if can_type:
        found[TYPE] = lambda: control().begin_typing()
    return found | {word.hotkey: telling(word.text) for word in words}


class Play:
    """Every method is for any thread."""

    def __init__(
        self,
        take: Take,
        control: Control,
        player: Player,
        instructions: Instructions,
        words: Sequence[Word],
        model: str,
    ) -> None:
        self._take, self._control, self._player = take, control, player
        self._instructions, self._words, self._model = instructions, words, model

    def say(self, text: str) -> str:
        """Tells the player something else, whoever is in control; returns it as it is told. Raises BadArgument."""
        return self._instructions.change(text)

    def begin_typing(self) -> None:
        """Releases everything until `end_typing`."""
        self._control.begin_typing()

    def end_typing(self, text: str | None) -> str:
        """Goes on with this instruction, or with the one before (None), and gives the game the focus.

        Returns the instruction in force. Raises BadArgument; then it is still being typed.
        """
        if text is not None:
            self._instructions.change(checked(text))
        self._control.end_typing()
        if self._take.target is not None and self._take.target.window_id is not None:
            with suppress(PlaytapeError):  # the display is gone, which the recorder notices by itself
                focus_window(self._take.target.window_id)
        return self._instructions.text

    def status(self) -> dict[str, Any]:
        """How things stand, for people to look at."""
        mode, status, tally = self._control.mode, self._take.status(), self._player.tally
        decided, (rate_hz, latency_ms) = self._player.last, tally.recent()
        is_moving = mode is Mode.MODEL
        target = self._take.target
        return {
            "mode": str(mode),
            "model": self._model,
            "instruction": self._instructions.text,
            "words": [[word.label, word.text] for word in self._words],
            "down": [label(code) for code in sorted(self._control.down)],
            "motion": [decided.dx, decided.dy] if is_moving else [0.0, 0.0],
            "rate_hz": round(rate_hz, 1),
            "wanted_hz": tally.rate_hz,
            "latency_ms": round(latency_ms, 1),
            "late_per_minute": tally.late_per_minute,
            "take_overs": self._control.take_overs,
            "elapsed_s": round(status.elapsed_s, 1),
            "window_id": target.window_id if target is not None else None,
        }


def focus_window(window_id: int) -> None:
    """Gives a window the keyboard. Raises CaptureUnavailable where there is no display."""
    connection = windows.connect()
    try:
        windows.take_focus(connection, window_id)
    finally:
        windows.disconnect(connection)
