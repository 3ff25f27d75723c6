"""What somebody who means harm would put into a file, and a canary that tells whether any of it was executed."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st

NASTY = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=8),
    st.sampled_from(["../../x", "/etc/passwd", "\x00", "a" * 5000, [], {}, [[]], [None], 2**63, -1, 1e308, "NaN"]),
)  # fmt: skip

_canary: list[str] = []


def sing(text: str) -> str:
    _canary.append(text)
    return text


class Bomb:
    """A pickle that leaves a mark when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sing, ("executed",)


@contextmanager
def nothing_executed() -> Iterator[None]:
    """Fails where a Bomb was read within."""
    pickle.loads(pickle.dumps(Bomb()))
    assert _canary.pop() == "executed", "it can sing"
    yield
    assert not _canary, "something was executed"
