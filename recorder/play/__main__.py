"""`playtape-play`: lets a model play a game's window and records it; a person takes over by touching anything."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from db import yardsticks
from db.cli import add_common, emit, open_library, run
from db.errors import BadArgument
from db.recording.consent import find_consent
from db.recording.events import Actor, ActorKind
from db.recording.session import SessionMeta
from db.specs import ClipSpec
from db.store import Store
from db.wire import connect, read_key
from recorder.__main__ import add_order, add_target, capture_spec, report_start, stop_on_signals
from recorder.backends import Choice, open_sources
from recorder.hotkeys import Hotkey, HotkeyAction
from recorder.inputs.injection import Injector
from recorder.order import Order
from recorder.play.control import GIVE_BACK_KEY, PANIC_KEY, Control
from recorder.play.guard import Guard
from recorder.play.player import Player
from recorder.play.policies import DEFAULT_SPACE, Policy, ServedPolicy, YardstickPolicy
from recorder.play.server import ModelServer, parse_address, serve_command
from recorder.play.teller import Teller
from recorder.screen import windows
from recorder.states import EndReason
from recorder.status import Result
from recorder.take import Take


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="playtape-play",
        description="Lets a model play a game's window, and records it as a session.",
        epilog="Touch a key or the mouse to take over at once; F11 gives control back to the model, F12 ends the play.",
    )
    add_common(parser)
    parser.add_argument(
        "--headless", action="store_true", help="without the line in the terminal that says how it goes"
    )
    parser.add_argument("--model", metavar="ID", help="the model that plays")
    parser.add_argument("--policy", choices=["model", *yardsticks.NAMES], default="model",
        help="who plays: the model (default), random keys and turns of the model's kind, nobody, or one action for ever")  # fmt: skip
    parser.add_argument("--instruction", default="", metavar="TEXT", help="what the model shall do")
    parser.add_argument(
        "--device", metavar="NAME", help="where the model runs: cpu, cuda, ... (default: the server's choice)"
    )
    parser.add_argument("--connect", metavar="ADDRESS", help="use a server that runs already (with --key-file)")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="the secret of that server")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of what random and repeat-last draw")
    add_target(parser)
    add_order(parser)
    return parser


def play(args: argparse.Namespace) -> int:
    if not (args.window_title or args.window_id):
        raise BadArgument("Say which window to play in: --window-title or --window-id.")
    with ExitStack() as stack:
        store = stack.enter_context(open_library(args))
        screen, inputs = open_sources(Choice(args.window_title, args.window_id))
        policy = open_policy(args, store, stack)
        injector = stack.enter_context(Injector())
        guard = Guard()
        stack.callback(guard.close)
        control = Control(injector, guard, on_panic=lambda: take.stop(EndReason.STOPPED, "Stopped by the panic key."))
        order = Order(
            game=args.game,
            player=args.player,
            capture=capture_spec(args.fps),
            duration_s=args.duration,
            group_id=args.group,
            other_actors=(Actor(kind=ActorKind.MODEL, name=policy.name),),
            attribute=control.attribute,
            hotkeys={
                HotkeyAction.PANIC: Hotkey(PANIC_KEY),
                HotkeyAction.GIVE_BACK: Hotkey(GIVE_BACK_KEY),
            },
            consent=find_consent(store.root, args.player),
            idle_s=0,
        )
        take = Take(store, order, screen, inputs, on_event=control.notice)
        player = Player(policy, control, take.latest, lambda: take.focused)
        player.on_failure = lambda error: take.stop(EndReason.FAILED, str(error))
        stop_on_signals(take)
        signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
        if not args.headless:
            teller = Teller(take, control, player, sys.stderr)
            teller.start()
            stack.callback(teller.close)
            bring_to_front(args)
        try:
            result = take.run(on_start=lambda meta: begin(args, meta, player), on_stop=player.close)
        finally:
            player.close()
            control.end()
        report(args, result, control, player)
        player.check()
    return 0


def bring_to_front(args: argparse.Namespace) -> None:
    """Gives the game's window the focus: whoever starts a play from another window wants it to begin."""
    connection = windows.connect()
    try:
        window = windows.find_window(connection, title=args.window_title, window_id=args.window_id)
        windows.activate(connection, window.window_id)
        connection.sync()
    finally:
        windows.disconnect(connection)


def begin(args: argparse.Namespace, meta: SessionMeta, player: Player) -> None:
    """Says that the session is being recorded, and lets the policy loose."""
    report_start(args, meta)
    player.start()


def open_policy(args: argparse.Namespace, store: Store, stack: ExitStack) -> Policy:
    """The policy that the command line names; `stack` closes it, and a server started for it."""
    served = None
    if args.connect or args.model:
        if args.connect:
            if args.key_file is None:
                raise BadArgument("--connect needs the server's secret: --key-file.")
            peer = connect(parse_address(args.connect), read_key(args.key_file))
        else:
            server = ModelServer(serve_command(args.model, store.root, args.device))
            stack.callback(server.close)
            peer = server.connect()
        served = ServedPolicy(peer, args.instruction)
        stack.callback(served.close)
    if args.policy == "model":
        if served is None:
            raise BadArgument("Say which model plays: --model ID (or --connect to a server).")
        return served
    clip = served.clip if served is not None else ClipSpec()
    return YardstickPolicy(args.policy, clip, served.space if served is not None else DEFAULT_SPACE, args.seed)


def report(args: argparse.Namespace, result: Result, control: Control, player: Player) -> None:
    facts = {
        "event": "finished",
        "message": result.message,
        **result.summary.facts(),
        "session": result.summary.id,
        **player.tally.facts(),
        "take_overs": control.take_overs,
        "changes": control.changes,
        "first_injection_ns": control.first_ns,
        "stop_ns": result.stop_ns,
    }
    told = player.tally.facts()
    lines = [
        f"{result.summary.duration_s:.1f} s played; ended: {result.end_reason}. {result.message}".strip(),
        f"{told['ticks']} decisions, {told['late']} late; {control.changes} key changes; {control.take_overs} take-overs",
        f"inference {told['infer_ms_p50']} ms (p99 {told['infer_ms_p99']}), "
        f"frame to injection {told['frame_to_injection_ms_p50']} ms (p99 {told['frame_to_injection_ms_p99']})",
        f"session {result.summary.id}: {result.summary.grade}",
    ]
    emit(args, facts, "\n".join(lines))


def main(argv: Sequence[str] | None = None) -> int:
    return run(play, build_parser(), argv)


if __name__ == "__main__":
    raise SystemExit(main())
