"""The loop of live play: the newest frame, a decision, its injection; once a tick, never in a queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from db.clock import now_ns
from db.media.colour import through_codec_colour
from db.media.resize import resize
from recorder.frames import LatestFrame
from recorder.play.control import Control
from recorder.play.policies import Decision, Policy
from recorder.workers import Worker

MOVE_STEPS = 4
"""A tick's motion is sent in this many steps, since hands do not jump."""
_FRAME_WAIT_S = 0.5


@dataclass
class Tally:
    """What was counted and timed while playing."""

    ticks: int = 0
    late: int = 0
    """Decisions that came more than a tick after their frame; the ticks in between were skipped."""
    infer_ns: list[int] = field(default_factory=list)
    frame_to_injection_ns: list[int] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        return {
            "ticks": self.ticks,
            "late": self.late,
            **_quantiles("infer", self.infer_ns),
            **_quantiles("frame_to_injection", self.frame_to_injection_ns),
        }


class Player(Worker):
    """Plays from `start` to `close`. A tick takes the first frame that comes when it is due, so that the answer is as fresh
    as it can be. Frames go to the policy also while a person plays, so that it knows what happened.

    focused: whether the game has the focus, asked before every decision.
    """

    def __init__(self, policy: Policy, control: Control, latest: LatestFrame, focused: Callable[[], bool]) -> None:
        super().__init__("player")
        self._policy, self._control, self._latest, self._focused = policy, control, latest, focused
        self._owed = [0.0, 0.0]
        self.tally = Tally()

    def run(self) -> None:
        period_ns = round(1e9 / self._policy.clip.rate_hz)
        slack_ns = period_ns // 4  # frames come a little early or late; the next one would come a whole frame late
        due_ns = seen_ns = 0
        try:
            while not self._stopping.is_set():
                self._control.set_focus(self._focused())
                grab = self._latest.get(max(due_ns - slack_ns, seen_ns), _FRAME_WAIT_S)
                if grab is None:
                    continue
                seen_ns = grab.t_ns
                picture = resize(through_codec_colour(grab.bgra), self._policy.clip.size_px)
                decision = self._policy.decide(picture, self.tally.ticks, grab.t_ns)
                self._act(decision, grab.t_ns)
                due_ns = (due_ns or grab.t_ns) + period_ns
                now = now_ns()
                if now - grab.t_ns > period_ns:
                    self.tally.late += 1
                if due_ns < now:
                    due_ns += ((now - due_ns) // period_ns + 1) * period_ns
                self._move(decision, due_ns)
        finally:
            self._control.end()

    def _act(self, decision: Decision, frame_ns: int) -> None:
        self.tally.ticks += 1
        self.tally.infer_ns.append(decision.infer_ns)
        if self._control.hold(decision.down):
            self.tally.frame_to_injection_ns.append(now_ns() - frame_ns)

    def _move(self, decision: Decision, until_ns: int) -> None:
        """Spreads the motion over the time that is left of the tick; fractions of a count are carried over."""
        began_ns = now_ns()
        total = (decision.dx + self._owed[0], decision.dy + self._owed[1])
        sent = (0, 0)
        for step in range(1, MOVE_STEPS + 1):
            place = (round(total[0] * step / MOVE_STEPS), round(total[1] * step / MOVE_STEPS))
            self._control.move(place[0] - sent[0], place[1] - sent[1])
            sent = place
            wait_ns = began_ns + (until_ns - began_ns) * step // MOVE_STEPS - now_ns()
            self._stopping.wait(max(wait_ns, 0) / 1e9)
        self._owed = [total[0] - sent[0], total[1] - sent[1]]


def _quantiles(name: str, values_ns: list[int]) -> dict[str, float | None]:
    if not values_ns:
        return {f"{name}_ms_p50": None, f"{name}_ms_p99": None}
    p50, p99 = np.percentile(np.array(values_ns) / 1e6, [50, 99])
    return {f"{name}_ms_p50": round(float(p50), 3), f"{name}_ms_p99": round(float(p99), 3)}
