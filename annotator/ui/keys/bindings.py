"""The keys in force: every window's table, and what this person on this machine has changed in it."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QSettings, pyqtSignal

from annotator.model.library.key_claims import claimed_keys
from annotator.ui.keys.key_names import refusal, spell
from annotator.ui.keys.key_set import OwnKeys, keys_in_force, read_key_set, write_key_set
from annotator.ui.keys.table import ActionTable, key_text
from db.errors import PlaytapeError

_STORED = "keys"


class Bindings(QObject):
    """One for the whole process: `of_person()`. Tables join as their windows are made."""

    changed = pyqtSignal()
    """Some action has other keys now; windows, tooltips and lists follow."""

    _of_person: Bindings | None = None

    def __init__(self) -> None:
        super().__init__()
        self._settings = QSettings("Playtape", "Playtape")
        self.tables: dict[str, ActionTable] = {}
        self._own: dict[str, OwnKeys] = {}
        self.problem = ""
        """What is wrong with the stored keys, as a sentence; "" where nothing is."""

    @classmethod
    def of_person(cls) -> Bindings:
        """This process's. Another place for the settings means another person's keys."""
        place = QSettings("Playtape", "Playtape").fileName()
        if cls._of_person is None or cls._of_person._settings.fileName() != place:
            cls._of_person = cls()
        return cls._of_person

    def join(self, table: ActionTable) -> None:
        """Takes a window's table in, with what is stored for it. Bad stored keys leave the table as it is."""
        if self.tables.get(table.scope) is table:
            return
        self.tables[table.scope] = table
        stored = self._stored()
        try:
            found = read_key_set(stored, {table.scope: table}) if stored else {}
            self._own[table.scope] = found.get(table.scope, {})
        except PlaytapeError:
            self._own[table.scope] = {}
            self.problem = "Your own keys could not be read, so the usual ones are in force; change them in Help, Keys."

    def keys(self, scope: str, name: str) -> tuple[str, ...]:
        """The keys of an action, in portable text, the first is the one that is shown."""
        return keys_in_force(self.tables[scope], self._own[scope])[name]

    def in_force(self, scope: str) -> OwnKeys:
        """The keys of every action of a table."""
        return keys_in_force(self.tables[scope], self._own[scope])

    def is_own(self, scope: str, name: str) -> bool:
        """Whether the person has changed this action's keys."""
        return name in self._own[scope]

    def holder(self, scope: str, key: str, but: str = "") -> str:
        """The name of the action other than `but` that has a key; "" where none has."""
        return next(
            (
                name
                for name, keys in self.in_force(scope).items()
                if name != but and any((spell(held) or held) == key for held in keys)
            ),
            "",
        )

    def claimant(self, scope: str, key: str) -> str:
        """What beside the actions has taken a key ("vocabulary: walk on"); "" where nothing has."""
        return next(
            (name for name, keys in claimed_keys(scope).items() if key in {spell(held) or held for held in keys}), ""
        )

    def conflict(self, scope: str, name: str, key: str) -> str:
        """Why an action cannot simply have a key, as a sentence; "" where it can."""
        table = self.tables[scope]
        if reason := refusal(key, table, name):
            return reason
        if holder := self.holder(scope, key, but=name):
            return f"{key} is taken by {table.row(holder).text}."
        if claimant := self.claimant(scope, key):
            return f"{key} is taken by {claimant}; change it there."
        return ""

    def give(self, scope: str, name: str, keys: tuple[str, ...]) -> None:
        """Gives an action exactly these keys, taking them from any other. Raises PlaytapeError for one it may not have."""
        table, own = self.tables[scope], dict(self._own[scope])
        keys = tuple(dict.fromkeys(spell(key) or key for key in keys))
        for key in keys:
            if reason := refusal(key, table, name):
                raise PlaytapeError(reason)
            if claimant := self.claimant(scope, key):
                raise PlaytapeError(f"{key} is taken by {claimant}; change it there.")
        for other, held in own.items():
            if other != name:
                own[other] = tuple(key for key in held if key not in keys)
        own[name] = keys
        if keys == tuple(spell(key) or key for key in table.row(name).keys):
            del own[name]
        self._store({**self._own, scope: own})

    def reset(self, scope: str, name: str) -> None:
        """Gives an action its usual keys back, but for what the person has given to others since."""
        self._store({**self._own, scope: {of: keys for of, keys in self._own[scope].items() if of != name}})

    def reset_all(self) -> None:
        """Every window's usual keys."""
        self._store({scope: {} for scope in self._own})

    def text(self) -> str:
        """The person's own keys as a file's text."""
        return write_key_set(self._own, self._stored())

    def read(self, text: str) -> None:
        """Takes over a file's keys in place of the person's. Raises BadFile, TooNew; then nothing has changed."""
        self._store({**self._own, **read_key_set(text, self.tables)})

    def _stored(self) -> str:
        self._settings.sync()  # another process may have written since
        stored = self._settings.value(_STORED, "")
        return stored if isinstance(stored, str) else "?"

    def _store(self, own: dict[str, OwnKeys]) -> None:
        """Keeps the keys and tells everybody. What is stored for windows that this process has not made stays."""
        self._own = own
        self.problem = ""
        self._settings.setValue(_STORED, write_key_set(own, self._stored()))
        self._settings.sync()
        self.changed.emit()
        if self._settings.status() != QSettings.Status.NoError:
            raise PlaytapeError(
                f"Your keys are in force but could not be kept in {self._settings.fileName()}; "
                "make room or check its permissions, then change one again."
            )


class _Shown:
    """A key in a sentence: the one in force, else the usual one, which stands after the colon."""

    def __init__(self, scope: str, name: str) -> None:
        self._scope, self._name = scope, name

    def __format__(self, usual: str) -> str:
        bindings = Bindings.of_person()
        if self._scope not in bindings.tables:
            return usual
        return key_text(bindings.keys(self._scope, self._name)[:1]) or "the menu"


class _Sentence(dict[str, object]):
    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope

    def __missing__(self, name: str) -> _Shown:
        return _Shown(self._scope, name)


def with_keys(sentence: str, scope: str = "annotate") -> str:
    """A sentence with the keys in force: "{undo:Ctrl+Z} takes that back" names the key of the action `undo`.

    After the colon stands the usual key, for where no window has been made.
    """
    return sentence.format_map(_Sentence(scope))
