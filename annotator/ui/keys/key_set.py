"""A person's own keys as they are stored and passed on: JSON with, for each window, the actions whose keys differ.

{"playtape_keys": 1, "keys": {"annotate": {"accept": ["F9"], "reject": []}, "library": {}}}
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping

from annotator.ui.keys.key_names import refusal, spell
from annotator.ui.keys.table import ActionTable
from db.errors import BadFile, TooNew

VERSION = 1
MOST_BYTES = 200_000
MOST_KEYS = 4
"""How many keys one action may have."""

OwnKeys = dict[str, tuple[str, ...]]
"""Action's name -> its keys, for those a person has changed. None at all is a choice as well."""


def write_key_set(own: Mapping[str, OwnKeys], beside: str = "") -> str:
    """The text of a file of keys; scope -> that window's own keys.

    beside: an older such text, whose keys stay for the windows that are not among `own`.
    """
    keys: dict[str, object] = {}
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        keys |= {str(scope): names for scope, names in dict(json.loads(beside)["keys"]).items()}
    keys |= {scope: {name: list(keys) for name, keys in sorted(names.items())} for scope, names in sorted(own.items())}
    return json.dumps({"playtape_keys": VERSION, "keys": keys}, indent=1, ensure_ascii=False) + "\n"


def read_key_set(text: str, tables: Mapping[str, ActionTable]) -> dict[str, OwnKeys]:
    """What a file of keys says, for the tables that are given. Raises BadFile, TooNew.

    Actions that this Playtape does not have are passed over, so that keys can go between versions. Keys that may not be
    given, and one key given to two actions, make the whole file bad: half a set would surprise.
    """
    if len(text) > MOST_BYTES:
        raise BadFile("This is no file of keys: it is far too large; choose one that was exported here.")
    try:
        found = json.loads(text)
        version, scopes = found["playtape_keys"], found["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadFile("This is no file of keys; choose one that was exported here.") from None
    if not isinstance(version, int) or not isinstance(scopes, dict):
        raise BadFile("This is no file of keys; choose one that was exported here.")
    if version > VERSION:
        raise TooNew("These keys were written by a newer Playtape; export them from this version, or update this one.")
    return {scope: _read_scope(scopes.get(scope, {}), table) for scope, table in tables.items()}


def _read_scope(names: object, table: ActionTable) -> OwnKeys:
    known = {spec.name for spec in table.rows}
    if not isinstance(names, dict):
        raise BadFile("This file of keys is damaged; export it again, or choose another.")
    own: OwnKeys = {}
    holder: dict[str, str] = {}
    for name, keys in names.items():
        if name not in known:
            continue
        if not isinstance(keys, list) or len(keys) > MOST_KEYS or not all(isinstance(key, str) for key in keys):
            raise BadFile(f"This file of keys is damaged at {name}; export it again, or choose another.")
        own[name] = tuple(dict.fromkeys(spell(key) or key for key in keys))
        for key in own[name]:
            if reason := refusal(key, table, name):
                raise BadFile(f"This file of keys gives {key or 'nothing'} to {table.row(name).text}: {reason}")
            if key in holder:
                raise BadFile(
                    f"This file of keys gives {key} both to {table.row(holder[key]).text} and to "
                    f"{table.row(name).text}; take it from one of them."
                )
            holder[key] = name
    return own


def keys_in_force(table: ActionTable, own: OwnKeys) -> OwnKeys:
    """Every action's keys: a person's own, else the table's but for what the person has given to another action."""
    taken = {key for name, keys in own.items() for key in keys}
    return {
        spec.name: own[spec.name]
        if spec.name in own
        else tuple(key for key in spec.keys if (spell(key) or key) not in taken)
        for spec in table.rows
    }  # fmt: skip
