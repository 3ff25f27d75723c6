"""What a play says when it is over."""

from __future__ import annotations

import argparse

from db.cli import emit
from recorder.play.control import Control
from recorder.play.player import Player
from recorder.play.policies import Policy
from recorder.play.timing import PARTS
from recorder.status import Result


def report(args: argparse.Namespace, result: Result, control: Control, player: Player, policy: Policy) -> None:
    told = player.tally.facts()
    facts = {
        "event": "finished",
        "message": result.message,
        **result.summary.facts(),
        "session": result.summary.id,
        **told,
        "sampling": policy.sampling,
        "take_overs": control.take_overs,
        "changes": control.changes,
        "withheld": control.withheld,
        "first_injection_ns": control.first_ns,
        "stop_ns": result.stop_ns,
    }
    parts = ", ".join(f"{part} {told['split_ms'][part][0]}" for part in PARTS)
    lines = [
        f"{result.summary.duration_s:.1f} s played; ended: {result.end_reason}. {result.message}".strip(),
        f"{told['ticks']} decisions, {told['late']} late ({told['late_per_minute']} a minute); "
        f"{control.changes} key changes; {control.take_overs} take-overs",
        f"frame to injection {told['frame_to_injection_ms_p50']} ms (p99 {told['frame_to_injection_ms_p99']}), "
        f"of which {parts}",
        f"session {result.summary.id}: {result.summary.grade}",
    ]
    if policy.sampling:
        lines.insert(2, "drawn with " + ", ".join(f"{name} {value}" for name, value in policy.sampling.items()))
    emit(args, facts, "\n".join(lines))
