"""`python -m demo.corpus`: records play of several scenarios, in sittings, labelled and accepted; goes on where it ended.

What the library holds already counts: the same command after an interruption records what is missing. Ctrl-C ends the takes
that run, and what they recorded goes to the library's trash.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.errors import PlaytapeError
from db.labelling.labels import LabelKind, Review, spans
from db.library.catalogue import SessionSummary
from db.store import Store
from demo.programs import ProgramFailed
from demo.recording import Script, bear_witness, label, record
from games.scenarios import SCENARIOS
from games.xserver import XServer, XServerError

AUTHOR, PLAYER = "corpus", "demonstrator"
NAMES = ("arena", "center", "corridor", "cover")
"""What is recorded where nothing is named."""
RATE_HZ = 30.0
OVERHEAD_S = 9.0
"""What opening and closing the game and the recorder takes for one sitting."""
WHOLE_SHARE = 0.9
"""A sitting that holds less than this share of its time is recorded again."""
MOST_TRIES = 3


@dataclass(frozen=True)
class Sitting:
    """One group to record: which scenario, the how-manieth of it, how long."""

    scenario: str
    number: int
    seconds: float

    @property
    def group(self) -> str:
        return f"{self.scenario}-{self.number:02d}"

    @property
    def seed(self) -> int:
        return 1000 * (1 + list(SCENARIOS).index(self.scenario)) + self.number

    def script(self, tries: int) -> Script:
        instructions = SCENARIOS[self.scenario].instructions
        return Script(self.scenario, "demonstrator", self.seconds, self.seed + 100 * tries, instructions)


class Corpus:
    """One library that is being filled, by as many stages at once as keep up."""

    def __init__(self, library: Path, logs: Path, sittings: Sequence[Sitting], stages: int) -> None:
        self.library, self.logs, self.stages = library, logs, stages
        self.cancelled = threading.Event()
        self._lock = threading.Lock()
        held = {summary.group_id for summary in accepted(library)}
        self._left = [sitting for sitting in sittings if sitting.group not in held]
        self._all, self._tries = len(sittings), Counter[str]()

    def fill(self) -> None:
        """Records what is missing. Raises what a stage raises; the others then end after their take."""
        with ThreadPoolExecutor(self.stages) as pool:
            work = [pool.submit(self._work, stage) for stage in range(self.stages)]
            try:
                wait(work, return_when=FIRST_EXCEPTION)
            finally:
                if any(done.done() and done.exception() for done in work):
                    self.cancelled.set()
            for done in work:
                done.result()

    def _work(self, stage: int) -> None:
        with XServer(window_manager=True) as screen:
            while (sitting := self._next(stage)) is not None:
                self._record(screen, sitting)

    def _next(self, stage: int) -> Sitting | None:
        with self._lock:
            goes = self._left and stage < self.stages and not self.cancelled.is_set()
            return self._left.pop(0) if goes else None

    def _record(self, screen: XServer, sitting: Sitting) -> None:
        """One sitting; labelled and accepted if it is whole, else in the trash and to be done again."""
        tries = self._tries[sitting.group]
        self._tries[sitting.group] += 1
        folder = self.logs / f"{sitting.group}-{time.time_ns()}"
        recorder = ["recorder", "--headless", "--fps", f"{RATE_HZ:g}", "--game", f"vizdoom-{sitting.scenario}"]
        recorder += ["--player", PLAYER, "--actor", "script", "--group", sitting.group]
        recorder += ["--library", str(self.library), "--json"]
        take = record(screen, sitting.script(tries), folder, recorder)
        with Store.open(self.library) as store:
            recording, summary = store.recording(take.session_id), store.summary(take.session_id)
            whole = summary.duration_s >= WHOLE_SHARE * sitting.seconds and summary.grade != "bad"
            dropped = recording.meta.dropped_frames
            account = bear_witness(recording, take.log)
            if whole:
                label(store, take, AUTHOR)
            else:
                store.trash(take.session_id, "not a whole sitting")
        with self._lock:
            if dropped and self.stages > 1:
                self.stages = 1
                say("      frames were dropped: one stage from here on")
            if not whole and not self.cancelled.is_set():
                if self._tries[sitting.group] == MOST_TRIES:
                    raise ProgramFailed(f"{sitting.group} was not recorded whole in {MOST_TRIES} tries; see {folder}.")
                self._left.append(sitting)
            finish = time.time() + sum(s.seconds + OVERHEAD_S for s in self._left) / self.stages
        say(
            f"      {sitting.group}: {summary.frames} frames, {dropped} dropped, {summary.grade}"
            f"{'' if whole else ', not whole'}; {account.changes} presses and releases, {len(account.missing)} missing, "
            f"{len(account.invented)} invented; {len(self._left)} of {self._all} to begin"
            f"  (done at about {time.strftime('%H:%M', time.localtime(finish))})"
        )


def accepted(library: Path) -> list[SessionSummary]:
    """The sittings that are done."""
    with Store.open(library) as store:
        return store.search(player=PLAYER, review=Review.ACCEPTED)


def plan(names: Sequence[str], minutes: float, groups: int) -> list[Sitting]:
    """The same time for each scenario and group, the scenarios in turn."""
    seconds = round(60 * minutes / (len(names) * groups), 1)
    return [Sitting(name, number, seconds) for number in range(1, groups + 1) for name in names]


def report(library: Path) -> None:
    """What the library holds, a scenario a line, then how often each instruction is given."""
    given = Counter[tuple[str, str]]()
    with Store.open(library) as store:
        found = store.search(player=PLAYER, review=Review.ACCEPTED)
        for game in sorted({summary.game for summary in found}):
            own = [summary for summary in found if summary.game == game]
            dropped = sum(store.recording(summary.id).meta.dropped_frames for summary in own)
            grades = Counter(summary.grade for summary in own)
            seconds = sum(summary.duration_s for summary in own)
            say(
                f"{game}: {seconds / 60:.1f} minutes, {len({summary.group_id for summary in own})} groups, "
                f"{dropped} dropped, {', '.join(f'{count} {grade}' for grade, count in grades.items())}"
            )
            for summary in own:
                for span in spans(store.edits(summary.id), LabelKind.INSTRUCTION):
                    given[game, str(span.value)] += 1
    for (game, text), count in sorted(given.items()):
        say(f"  {game:16} {text:40} {count:3}")


def main() -> int:
    args = parse()
    library: Path = args.library.resolve()
    library.mkdir(parents=True, exist_ok=True)
    logs: Path = args.logs.resolve() if args.logs else library.parent / "logs"
    keep_priority()
    corpus = Corpus(library, logs, plan(args.scenarios, args.minutes, args.groups), args.stages)
    try:
        with cancelling(corpus):
            corpus.fill()
    except (ProgramFailed, PlaytapeError, XServerError) as error:
        if not corpus.cancelled.is_set():
            say(f"corpus: {error}\nThe same command goes on; the logs are in {logs}.")
        return 130 if corpus.cancelled.is_set() else 1
    finally:
        report(library)
    if corpus.cancelled.is_set():
        say("corpus: interrupted; the same command goes on.")
        return 130
    return 0


def keep_priority() -> None:
    """Lets a `nice` below 0 hold against other sessions of the machine too.

    Linux shares the processors among login sessions first (sched_autogroup); `nice` counts only within one of them.
    """
    nice, path = os.getpriority(os.PRIO_PROCESS, 0), Path("/proc/self/autogroup")
    if nice < 0 and path.exists():
        path.write_text(str(nice))


@contextmanager
def cancelling(corpus: Corpus) -> Iterator[None]:
    """SIGINT and SIGTERM let no further take begin. At a terminal Ctrl-C reaches the running programs as well."""
    before = {
        number: signal.signal(number, lambda *_: corpus.cancelled.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.corpus", description=__doc__)
    parser.add_argument("--library", type=Path, required=True, metavar="DIR")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="the game's logs (default: logs beside the library)")
    parser.add_argument("--minutes", type=float, default=24.0, metavar="M", help="of all scenarios together")
    parser.add_argument("--groups", type=int, default=6, metavar="N", help="sittings of each scenario")
    parser.add_argument(
        "--scenarios", nargs="+", choices=SCENARIOS, default=NAMES, metavar="S", help=", ".join(SCENARIOS)
    )
    parser.add_argument(
        "--stages", type=int, default=2, metavar="N", help="displays at once, while no frame is dropped"
    )
    return parser.parse_args()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
