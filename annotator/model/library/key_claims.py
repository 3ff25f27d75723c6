"""Keys that something beside the tables of actions has taken, such as words of a vocabulary: name and keys, by source.

Whoever gives keys to something of its own says so here; the editor of keys reads it and finds the conflicts.
"""

from __future__ import annotations

from collections.abc import Mapping

_claims: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}


def claim_keys(scope: str, source: str, keys: Mapping[str, tuple[str, ...]]) -> None:
    """Replaces what `source` (such as "vocabulary") holds in a window's scope ("annotate" or "library").

    keys: what a person calls each thing -> its keys in QKeySequence's portable text. An empty mapping gives all back.
    """
    _claims[scope, source] = dict(keys)


def claimed_keys(scope: str) -> dict[str, tuple[str, ...]]:
    """ "source: name" -> its keys, for everything claimed in a scope."""
    return {
        f"{source}: {name}": keys
        for (of, source), names in _claims.items()
        if of == scope
        for name, keys in names.items()
    }  # fmt: skip
