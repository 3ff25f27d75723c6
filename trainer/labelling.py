"""The command `playtape-train label`, from parsed arguments to what is printed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar

import torch

from db.cli import default_person, emit, open_library
from db.errors import BadArgument, PlaytapeError
from db.progressline import ProgressLine
from db.store import Store
from trainer.label import Labelled, label_session
from trainer.models import choose_device, load_model
from trainer.training.stopping import stop_signals

STOPPED = 130
_TOLD_EVERY_S = 0.25


def label_sessions(args: argparse.Namespace) -> int:
    """Exit status 0 where all sessions are labelled, 130 when it was stopped before; asking again goes on from there."""
    if args.disagreements is not None and not 0.5 <= args.disagreements <= 1:
        raise BadArgument("--disagreements must lie between 0.5 and 1.")
    use_threads(args)
    with open_library(args, create=False) as store:
        loaded = load_model(store, args.model, choose_device(args.device))
        person = args.person or default_person()

        def label(session_id: str, teller: Teller, stopped: Callable[[], bool]) -> Labelled:
            return label_session(
                store,
                loaded,
                session_id,
                person,
                disagreements=args.disagreements,
                any_game=args.any_game,
                progress=lambda done, total: teller.tell("labelling", done, total),
                stopped=stopped,
            )

        labelled, refused = over_sessions(store, args, "labelling", label)
        was_stopped = any(one.was_stopped for one in labelled)
        facts: dict[str, Any] = {
            "model": args.model,
            "stopped": was_stopped,
            "suggestions": sum(one.suggestions for one in labelled),
            "disagreements": sum(one.disagreements for one in labelled),
            "sessions": [vars(one) for one in labelled],
            "refused": refused,
        }
        emit(args, facts, _sum_up(labelled, refused, was_stopped))
    return STOPPED if was_stopped else 0


class Result(Protocol):
    """What was done to one session."""

    @property
    def was_stopped(self) -> bool:
        """Whether it ended before it was done."""


Done = TypeVar("Done", bound=Result)


def use_threads(args: argparse.Namespace) -> None:
    """Raises BadArgument."""
    if args.threads is not None:
        if args.threads < 1:
            raise BadArgument("--threads must be at least 1.")
        torch.set_num_threads(args.threads)


def over_sessions(
    store: Store, args: argparse.Namespace, doing: str, work: Callable[[str, Teller, Callable[[], bool]], Done]
) -> tuple[list[Done], dict[str, str]]:
    """One session of `args` after the other: what was done, and the sentence why one was refused.

    work: (session, teller, whether it is to stop). Where several are asked for, one that does not fit stops none of the
    others.
    """
    ids = [store.find(part) for part in args.sessions]
    results: list[Done] = []
    refused: dict[str, str] = {}
    with ExitStack() as stack:
        line = None if args.json else stack.enter_context(ProgressLine(doing))
        for number, session_id in enumerate(ids):
            teller = Teller(args, line, session_id, number, len(ids))
            try:
                with stop_signals() as stopped:
                    one = work(session_id, teller, stopped)
            except PlaytapeError as error:
                if len(ids) == 1:
                    raise
                refused[session_id] = str(error)
                continue
            results.append(one)
            if one.was_stopped:
                break
    return results, refused


class Teller:
    """Tells how far one session is: rows of JSON for programs, a line for people."""

    def __init__(
        self, args: argparse.Namespace, line: ProgressLine | None, session_id: str, number: int, count: int
    ) -> None:
        self._args, self._line, self._session_id = args, line, session_id
        self._number, self._count = number, count
        self._began_s, self._told_s, self._phase = time.monotonic(), 0.0, ""

    def tell(self, phase: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if phase != self._phase:
            self._phase, self._began_s = phase, now_s
        if self._line is not None:
            self._line.tell((self._number + done / max(total, 1)) / self._count)
        elif done in (0, total) or now_s - self._told_s >= _TOLD_EVERY_S:
            self._told_s = now_s
            eta_s = (now_s - self._began_s) / done * (total - done) if done else None
            row = {"phase": phase, "session": self._session_id, "step": done, "steps": total, "eta_s": eta_s}
            emit(self._args, row, "")


def _sum_up(labelled: Sequence[Labelled], refused: dict[str, str], was_stopped: bool) -> str:
    lines = [
        f"{one.session_id}: {one.suggestions} suggestions, {one.imputed_s:.1f} s imputed"
        + (f", {one.disagreements} disagreements" if one.disagreements else "")
        for one in labelled
    ]
    lines += [f"{session_id}: {reason}" for session_id, reason in refused.items()]
    if was_stopped:
        lines.append("stopped; the same command goes on from here")
    return "\n".join(lines)
