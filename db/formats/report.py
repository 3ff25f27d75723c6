"""What became of a recording on its way in or out: what was kept, what was changed, what was dropped, and how much of each."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from db.files import encodable

MOST_REASONS = 200
"""Of one kind; what comes after is counted together, so that a hostile file cannot fill memory with reasons."""
_OTHER = "other things"

Way = Literal["in", "out"]
"""Whether recordings come into the library or sessions go out."""
Outcome = Literal["imported", "merged", "written", "known", "withdrawn", "refused"]


@dataclass
class Report:
    """Of one source that came in, or one session that went out. In a dry run: what it would be."""

    name: str
    """The source's name, or the session's id."""
    outcome: Outcome
    session_id: str = ""
    path: str = ""
    """What was written, or read."""
    frames: int = 0
    seconds: float = 0.0
    dry_run: bool = False
    kept: Counter[str] = field(default_factory=Counter)
    """What -> how many: `frames`, `presses`, `instructions`."""
    changed: Counter[str] = field(default_factory=Counter)
    """What was changed and why -> how many."""
    dropped: Counter[str] = field(default_factory=Counter)
    """What was left out and why -> how many."""
    says: str = ""
    """What became of it, in words, where that is more than the outcome."""
    error: str = ""
    """The sentence, where it was refused."""
    facts: dict[str, Any] = field(default_factory=dict)
    """More of it, for JSON."""

    def keep(self, what: str, count: int = 1) -> None:
        _count(self.kept, what, count)

    def change(self, why: str, count: int = 1) -> None:
        _count(self.changed, why, count)

    def drop(self, why: str, count: int = 1) -> None:
        _count(self.dropped, why, count)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        plain = {
            "name": self.name,
            "outcome": self.outcome,
            "session_id": self.session_id,
            "file": self.path,
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "dry_run": self.dry_run,
            "kept": dict(self.kept),
            "changed": dict(self.changed),
            "dropped": dict(self.dropped),
        }
        return plain | ({"error": self.error} if self.error else {}) | self.facts

    def lines(self) -> list[str]:
        """For people: one line of what was kept, and one for each thing that was changed or dropped."""
        kept = sorted(self.kept.items(), key=lambda each: (each[0] != "frames", each[0]))
        lines = [f"kept: {', '.join(f'{count} {what}' for what, count in kept)}"] if kept else []
        for word, reasons in (("changed", self.changed), ("dropped", self.dropped)):
            lines += [f"{word}: {why}{f' ({count} times)' * (count > 1)}" for why, count in reasons.items()]
        return lines


_OUTCOMES: dict[Way, dict[str, str]] = {
    "in": {"known": "here already", "withdrawn": "taken back"},
    "out": {"known": "there already"},
}


def outcome_in_words(outcome: str, way: Way, *, dry_run: bool) -> str:
    """Such as `imported`, `would be written`, `here already`."""
    would = "would be " * (dry_run and outcome in ("imported", "merged", "written"))
    return would + _OUTCOMES[way].get(outcome, outcome)


def so_far(outcomes: Counter[str], way: Way, *, dry_run: bool) -> str:
    """How many of each outcome there were, such as `12 imported, 1 refused`."""
    return ", ".join(f"{count:,} {outcome_in_words(word, way, dry_run=dry_run)}" for word, count in outcomes.items())


def totals(reports: list[Report]) -> dict[str, Any]:
    """What a whole import or export came to: how many of each outcome, and the sums of the counts."""
    sums: dict[str, Any] = {"outcomes": dict(Counter(report.outcome for report in reports))}
    for name in ("kept", "changed", "dropped"):
        sums[name] = dict(sum((getattr(report, name) for report in reports), Counter()))
    return sums


def whole(format_name: str, reports: list[Report], *, dry_run: bool) -> str:
    """All of an import or export as JSON: the totals, and under `of` every report."""
    said = {"format": format_name, "dry_run": dry_run} | totals(reports)
    said["of"] = [report.to_json() for report in reports]
    return encodable(json.dumps(said, indent=2, ensure_ascii=False, default=str)) + "\n"


def _count(counter: Counter[str], what: str, count: int) -> None:
    if count > 0:
        counter[what if what in counter or len(counter) < MOST_REASONS else _OTHER] += count
