"""The loop of live play: the newest frame, a decision, its injection; once a tick, never in a queue."""

from __future__ import annotations

from collections.abc import Callable

from db.clock import now_ns
from db.media.colour import through_codec_colour
from db.media.resize import resize
from recorder.frames import LatestFrame
from recorder.play.control import Control
from recorder.play.instructions import Instructions
from recorder.play.policies import Decision, Policy
from recorder.play.timing import Tally, Tick
from recorder.screen.source import Grab
from recorder.workers import Worker

MOVE_STEPS = 4
"""A tick's motion is sent in this many steps, since hands do not jump."""
_FRAME_WAIT_S = 0.5


class Player(Worker):
    """Plays from `start` to `close`. A tick takes the first frame that comes when it is due, so that the answer is as fresh
    as it can be. Frames go to the policy also while a person plays, so that it knows what happened.
    """

    def __init__(
        self,
        policy: Policy,
        control: Control,
        instructions: Instructions,
        latest: LatestFrame,
    ) -> None:
        super().__init__("player")
        self._policy, self._control, self._latest = policy, control, latest
        self._instructions = instructions
        self.on_told: Callable[[int, str], None] = lambda t_ns, text: None
        """Called with the stamp of the first frame that the policy sees under an instruction, and its text."""
        self._owed = [0.0, 0.0]
        self.last = Decision()
        """What was decided last, in control or not."""
        self.tally = Tally(policy.clip.rate_hz)

    def run(self) -> None:
        period_ns = round(1e9 / self._policy.clip.rate_hz)
        slack_ns = period_ns // 4  # frames come a little early or late; the next one would come a whole frame late
        due_ns = seen_ns = 0
        told: str | None = None
        try:
            while not self._stopping.is_set():
                self._control.look()
                if (fresh := self._instructions.take()) is not None:
                    self._policy.instruct(told := fresh)
                grab = self._latest.get(max(due_ns - slack_ns, seen_ns), _FRAME_WAIT_S)
                if grab is None:
                    continue
                seen_ns = grab.t_ns
                self.last = decision = self._tick(grab, period_ns)
                if told is not None:
                    self.on_told(grab.t_ns, told)
                    told = None
                due_ns = (due_ns or grab.t_ns) + period_ns
                now = now_ns()
                if due_ns < now:
                    due_ns += ((now - due_ns) // period_ns + 1) * period_ns
                self._move(decision, due_ns)
        finally:
            self._control.end()

    def _tick(self, grab: Grab, period_ns: int) -> Decision:
        taken_ns = now_ns()
        picture = resize(through_codec_colour(grab.bgra), self._policy.clip.size_px)
        seen_ns = now_ns()
        decision = self._policy.decide(picture, self.tally.ticks, grab.t_ns)
        decided_ns = now_ns()
        has_acted = self._control.hold(decision.down)
        done_ns = now_ns()
        tick = Tick(
            grab_ns=grab.t_ns - grab.t_before_ns,
            wait_ns=taken_ns - grab.t_ns,
            resize_ns=seen_ns - taken_ns,
            wire_ns=decided_ns - seen_ns - decision.infer_ns,
            infer_ns=decision.infer_ns,
            inject_ns=done_ns - decided_ns,
            total_ns=done_ns - grab.t_ns,
            has_acted=has_acted,
        )
        self.tally.add(tick, done_ns, period_ns)
        return decision

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
