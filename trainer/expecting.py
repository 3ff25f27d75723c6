"""The command `playtape-train expect`, from parsed arguments to what is printed."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from db.cli import emit, open_library
from trainer.expect import Expected, expect_session
from trainer.labelling import STOPPED, Teller, over_sessions, use_threads
from trainer.models import choose_device, load_model


def expect_sessions(args: argparse.Namespace) -> int:
    """Exit status 0 where all is said of every session, 130 when it was stopped before; asking again goes on from there."""
    use_threads(args)
    with open_library(args, create=False) as store:
        loaded = load_model(store, args.model, choose_device(args.device))

        def expect(session_id: str, teller: Teller, stopped: Callable[[], bool]) -> Expected:
            return expect_session(
                store, loaded, session_id, any_game=args.any_game, progress=teller.tell, stopped=stopped
            )

        expected, refused = over_sessions(store, args, "expecting", expect)
        was_stopped = any(one.was_stopped for one in expected)
        lines = [f"{one.session_id}: {one.said_s:.1f} s looked at" for one in expected]
        lines += [f"{session_id}: {reason}" for session_id, reason in refused.items()]
        lines += ["stopped; the same command goes on from here"] if was_stopped else []
        facts = {
            "model": args.model,
            "stopped": was_stopped,
            "sessions": [vars(one) for one in expected],
            "refused": refused,
        }
        emit(args, facts, "\n".join(lines))
    return STOPPED if was_stopped else 0
