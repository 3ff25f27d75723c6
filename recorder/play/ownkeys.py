"""The keys of a play itself: none is ever recorded, none takes over, and the model cannot press the first two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from db.errors import BadArgument
from db.recording.keys import CODES
from db.settings import read_settings
from recorder.hotkeys import Hotkey
from recorder.play.instructions import checked

PANIC = Hotkey(CODES["KEY_F12"], None)
GIVE_BACK = Hotkey(CODES["KEY_F11"], None)
"""Both whatever else is down, since the model may be holding Shift."""
_CHORD = frozenset({"ctrl", "alt"})
TYPE = Hotkey(CODES["KEY_ENTER"], _CHORD)
"""Opens the line of the overlay in which an instruction is typed."""
SAY_NOTHING = Hotkey(CODES["KEY_0"], _CHORD)
"""No instruction from here on."""
DIGITS = "123456789"


@dataclass(frozen=True)
class Word:
    """An instruction with a key of its own."""

    hotkey: Hotkey
    text: str

    @property
    def label(self) -> str:
        """The digit where it is Ctrl+Alt and a digit, else the whole combination."""
        return next((digit for digit in DIGITS if self.hotkey == digit_key(digit)), str(self.hotkey))


def digit_key(digit: str) -> Hotkey:
    return Hotkey(CODES[f"KEY_{digit}"], _CHORD)


def choose_words(given: Sequence[str], library: Path) -> tuple[Word, ...]:
    """The words of `--hotkey KEY=TEXT`; without any the first nine of the library's vocabulary, on Ctrl+Alt+1 to 9.

    Raises BadArgument for what cannot be a word, BadFile where the library's settings are damaged.
    """
    if not given:
        texts = [entry.text for entry in read_settings(library).vocabulary]
        return tuple(Word(digit_key(digit), text) for digit, text in zip(DIGITS, texts, strict=False))
    words: list[Word] = []
    for one in given:
        name, separator, text = one.partition("=")
        if not separator or not checked(text):
            raise BadArgument(f"{one!r} says no instruction; write KEY=TEXT, as in 1=collect the medkits.")
        hotkey = digit_key(name.strip()) if name.strip() in tuple(DIGITS) else Hotkey.parse(name)
        if hotkey in (TYPE, SAY_NOTHING) or hotkey.code in (PANIC.code, GIVE_BACK.code):
            raise BadArgument(f"{hotkey} has a meaning in a play already; choose another key for {text.strip()!r}.")
        if any(word.hotkey == hotkey for word in words):
            raise BadArgument(f"{hotkey} is given twice; choose another key for {text.strip()!r}.")
        words.append(Word(hotkey, checked(text)))
    return tuple(words)
