"""One kind of table for what a window can do: menus, shortcuts, the sheet of keys, the palette and the tests read it."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtGui import QKeySequence

_ALIASES = ("Ctrl+Enter", "Enter", "=", "Ctrl+=")
"""Second keys that only spare a person from knowing one key from its twin; they are not shown."""


@dataclass(frozen=True)
class ActionSpec:
    """One row of a table. `keys` are in QKeySequence's portable text; the first is the one that is shown."""

    name: str
    text: str
    keys: tuple[str, ...]
    menu: str
    needs_session: bool = True
    """In the annotate window: whether it can be done only while a session is open."""
    repeats: bool = False
    """Whether holding the key does it again and again."""
    checked: bool | None = None
    """For one that is switched on and off: how it starts."""
    tip: str = ""
    """A sentence for its tooltip, where the text is only a word on a button."""
    needs: str = ""
    """What is missing when it cannot be done, as a sentence for the palette."""


@dataclass(frozen=True)
class ActionTable:
    """Everything one kind of window can do. Names are unique in it, and no key is used twice."""

    scope: str
    """Which window it belongs to, as a person's own keys are stored under."""
    title: str
    menus: tuple[str, ...]
    rows: tuple[ActionSpec, ...]

    def row(self, name: str) -> ActionSpec:
        """Raises KeyError for a name that is not in the table."""
        for spec in self.rows:
            if spec.name == name:
                return spec
        raise KeyError(name)

    def in_menu(self, menu: str) -> list[ActionSpec]:
        return [spec for spec in self.rows if spec.menu == menu]


def menu_letters(menus: tuple[str, ...]) -> dict[str, str]:
    """Each menu's letter, in lower case, which opens it together with Alt."""
    letters: dict[str, str] = {}
    for title in menus:
        free = [letter.lower() for letter in title if letter.isalpha() and letter.lower() not in letters.values()]
        letters[title] = free[0] if free else title[0].lower()
    return letters


def key_text(keys: tuple[str, ...], between: str = "  or  ") -> str:
    """Keys as this platform writes them."""
    shown = [key for key in keys if key not in _ALIASES] or list(keys[:1])
    return between.join(
        QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter") for key in shown
    )
