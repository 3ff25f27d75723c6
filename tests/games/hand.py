"""The hand of a scripted player: it carries out what the player wants, through injected input, the way a hand does.

A player decides once per tic. The hand spreads what that takes over the time until the next tic: a mouse movement
becomes a few small ones, and keys change at moments that have nothing to do with the game's own clock. It holds and
leaves each key for at least ``MIN_TICS`` tics, so that the game, which looks once per tic, sees every press and release.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from games.engine import BINDINGS, TIC_NS, GameError
from games.injector import Injection, Injector

# A change happens up to one tic after the tic in which it was decided, so 3 tics apart is at least 2 of the game's looks.
MIN_TICS = 3
# Before an episode or a trial ends, and before the game does, hands are off for long enough that every release is seen.
QUIET_TICS = 2 * MIN_TICS + 4
LONGEST_PLAN = 512
SPREAD = 0.95  # of a tic, over which what was decided in it is carried out


GIVE_BACK = 87
"""KEY_F11, the usual hotkey that gives control back to a model; nothing to the game."""
_HELD = (*BINDINGS, GIVE_BACK)


@dataclass(frozen=True, slots=True)
class Intent:
    """What a player wants until the next tic: the evdev codes to hold, and how far to move the mouse, in pixels."""

    held: frozenset[int] = frozenset()
    dx: int = 0
    dy: int = 0


REST = Intent()


class Grip:
    """Which keys a hand holds: none for less than ``MIN_TICS`` tics, and none is left for less."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self._changed_tic = dict.fromkeys(_HELD, -MIN_TICS)

    def follow(self, intent: Intent, tic: int) -> list[tuple[int, bool]]:
        """What changes for an intent of tic number ``tic``: (evdev code, pressed)."""
        changes = []
        for code in _HELD:
            pressed = code in intent.held
            if pressed != (code in self.held) and tic - self._changed_tic[code] >= MIN_TICS:
                (self.held.add if pressed else self.held.discard)(code)
                self._changed_tic[code] = tic
                changes.append((code, pressed))
        return changes


class Hand:
    """Follows intents on ``display`` in a thread of its own. ``close()`` lets go of everything and joins it."""

    def __init__(self, display: str, *, seed: int = 0) -> None:
        self._injector = Injector(display)
        self._random = random.Random(seed)
        self._grip = Grip()
        self._last_step = (0, 0)
        self._plan: queue.Queue[tuple[int, Callable[[], None]] | None] = queue.Queue(LONGEST_PLAN)
        self._closing = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="hand")
        self._thread.start()

    @property
    def ledger(self) -> list[Injection]:
        """Everything injected so far, in order. Grows while one reads it; what is there does not change."""
        return self._injector.ledger

    def follow(self, intent: Intent, tic: int) -> None:
        """Carry out the intent decided in tic number ``tic`` before the next one. Raises GameError if the display is gone."""
        if self._error is not None:
            raise GameError(f"Input can no longer be injected: {self._error}") from self._error
        now_ns = time.perf_counter_ns()
        changes = self._grip.follow(intent, tic)
        acts = [(self._moment(now_ns), _change(self._injector, code, pressed)) for code, pressed in changes]
        steps = _steps(intent.dx, intent.dy, self._random.randint(2, 4), self._last_step)
        moments = sorted(self._moment(now_ns) for _ in steps)
        acts += [(t_ns, _motion(self._injector, *step)) for t_ns, step in zip(moments, steps, strict=True)]
        self._last_step = steps[-1] if steps else self._last_step
        for act in sorted(acts, key=lambda act: act[0]):
            self._plan.put(act)

    def close(self) -> None:
        """Drop what is still planned, release everything that is held, and end the thread."""
        self._closing.set()
        self._plan.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _moment(self, now_ns: int) -> int:
        return now_ns + int(self._random.random() * SPREAD * TIC_NS)

    def _work(self) -> None:
        try:
            while (act := self._plan.get()) is not None:
                t_ns, perform = act
                if self._closing.wait(max(0, t_ns - time.perf_counter_ns()) / 1e9):
                    continue
                perform()
            self._injector.close()
        except Exception as error:
            # The game's thread raises it, at its next tic; until then the plan must not fill up.
            self._error = error
            while self._plan.get() is not None:
                pass


def _change(injector: Injector, code: int, pressed: bool) -> Callable[[], None]:
    return lambda: injector.set_held(code, pressed)


def _motion(injector: Injector, dx: int, dy: int) -> Callable[[], None]:
    return lambda: injector.move(dx, dy)


def _steps(dx: int, dy: int, parts: int, before: tuple[int, int]) -> list[tuple[int, int]]:
    """One movement as a few small ones that add up to it, none of them equal to the one just before it.

    SDL, and so many a game, takes two equal motions in one millisecond for one motion that was reported twice, and drops the
    second. A hand never moves so evenly anyway.
    """
    if not dx and not dy:
        return []
    if abs(dx) + abs(dy) < 2 * parts:
        parts = 1
    if parts == 1 and (dx, dy) == before and abs(dx) + abs(dy) > 1:
        parts = 2
    steps = [before, *zip(_split(dx, parts), _split(dy, parts), strict=True)]
    for i in range(1, len(steps) - 1):
        (x, y), (next_x, next_y) = steps[i], steps[i + 1]
        for shift in (0, 1, -1, 2, -2):
            if (x + shift, y) != steps[i - 1] and (x + shift, y) != (next_x - shift, next_y):
                steps[i], steps[i + 1] = (x + shift, y), (next_x - shift, next_y)
                break
    return steps[1:]


def _split(total: int, parts: int) -> list[int]:
    """Whole numbers that differ by at most one and add up to the total."""
    return [(total * (i + 1)) // parts - (total * i) // parts for i in range(parts)]
