"""`playtape-play`: lets a model play a game's window and records it; a person takes over by touching anything."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from db import yardsticks
from db.cli import add_common, open_library, run
from db.errors import BadArgument, PlaytapeError
from db.labelling.instructions import note_told
from db.recording.consent import find_consent
from db.recording.events import Actor, ActorKind
from db.recording.session import SessionMeta
from db.specs import CaptureSpec, ClipSpec
from db.store import Store
from db.wire import connect, read_key
from recorder.__main__ import add_order, add_target, capture_spec, report_start, stop_on_signals
from recorder.backends import Choice, open_sources
from recorder.hotkeys import Hotkey
from recorder.inputs.injection import Injector
from recorder.order import Order
from recorder.play import say
from recorder.play.control import Control
from recorder.play.guard import Guard
from recorder.play.instructions import Instructions
from recorder.play.overlay import Overlay
from recorder.play.ownkeys import choose_words
from recorder.play.play import Play, deeds, focus_window
from recorder.play.player import Player
from recorder.play.policies import DEFAULT_SPACE, Policy, ServedPolicy, YardstickPolicy
from recorder.play.remote import Remote
from recorder.play.report import report
from recorder.play.server import ModelServer, parse_address, serve_command
from recorder.play.teller import Teller
from recorder.screen import windows
from recorder.states import EndReason
from recorder.take import Take

FOCUS_GRACE_S = 300.0
"""A play waits longer for its game than a recording does: it does nothing meanwhile, and typing an instruction takes time."""
_SWITCH_S = 0.001
"""A person's key must not wait for what the other threads are at; Python's usual 5 ms a turn is a tenth of a frame."""
_EPILOG = """\
who is in control
  Press a key or move the mouse, and the model lets go of everything at once. F11 gives control back, F12 ends the play.
  The model waits while another window has the focus, and goes on by itself when the game has it again.

instructions
  Ctrl+Alt+1 to 9 tell it one of the library's words (or those of --hotkey), Ctrl+Alt+0 none. Ctrl+Alt+Enter lets you
  type one: the model waits, Enter goes on with the new text, Escape with the old one. playtape-play say TEXT does it
  from any terminal. None of these takes over. What it was told is stored in the session.

what it does with a decision
  The model decides once for every picture it is made for (15 or 20 a second). A key stays down until a decision leaves it
  out, and does not repeat meanwhile as a keyboard's keys do. Mouse motion is spread over the tick in 4 steps. A decision
  that comes more than a tick after its picture is counted as late and still done; the pictures in between are skipped,
  never queued. Keys are drawn from the model's probabilities at --temperature 1; 0 takes the likeliest. --steadiness 0.9
  makes the draws of one tick like those of the last one, so that what is as likely as not does not tremble.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="playtape-play",
        description="Lets a model play a game's window, and records it as a session. See also: playtape-play say --help.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(parser)
    parser.add_argument(
        "--headless",
        action="store_true",
        help="without the overlay, and the line in the terminal that says how it goes",
    )
    parser.add_argument("--no-overlay", action="store_true", help="without the overlay alone")
    _add_policy(parser)
    parser.add_argument("--instruction", default="", metavar="TEXT", help="what the model shall do")
    parser.add_argument("--hotkey", action="append", default=[], metavar="KEY=TEXT",
        help="a key that tells the model something: 1 to 9 stand for Ctrl+Alt and that digit, or a key such as F5 (several "
        "times; default: the first nine words of the library's vocabulary)")  # fmt: skip
    add_target(parser)
    add_order(parser)
    return parser


def _add_policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="ID", help="the model that plays")
    parser.add_argument("--policy", choices=["model", *yardsticks.NAMES], default="model",
        help="who plays: the model (default), random keys and turns of the model's kind, nobody, or one action for ever")  # fmt: skip
    parser.add_argument(
        "--temperature",
        type=float,
        metavar="T",
        help="of what is drawn, 0 takes the likeliest (default: the server's, 1)",
    )
    parser.add_argument("--keys", choices=["sample", "threshold"],
        help="draw keys from their probabilities, or press at the model's thresholds (default: the server's, sample)")  # fmt: skip
    parser.add_argument(
        "--steadiness",
        type=float,
        metavar="S",
        help="likeness of one draw to the next, 0 to 1 (default: the server's, 0.9)",
    )
    parser.add_argument(
        "--device", metavar="NAME", help="where the model runs: cpu, cuda, ... (default: the server's choice)"
    )
    parser.add_argument("--connect", metavar="ADDRESS", help="use a server that runs already (with --key-file)")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="the secret of that server")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of what random and repeat-last draw")


def play(args: argparse.Namespace) -> int:
    if not (args.window_title or args.window_id):
        raise BadArgument("Say which window to play in: --window-title or --window-id.")
    with ExitStack() as stack:
        store = stack.enter_context(open_library(args))
        instructions, words = Instructions(args.instruction), choose_words(args.hotkey, store.root)
        window_id = find_window(args)
        screen, inputs = open_sources(Choice(window_id=window_id))
        policy = open_policy(args, store, stack)
        injector = stack.enter_context(Injector(window_id=window_id))
        guard = Guard()
        stack.callback(guard.close)
        has_overlay = not (args.headless or args.no_overlay)
        own_keys = deeds(
            lambda: control, instructions, words, can_type=has_overlay,
            on_panic=lambda: take.stop(EndReason.STOPPED, "Stopped by the panic key."),
        )  # fmt: skip
        control = Control(injector, guard, own_keys, lambda: take.focused)
        order = make_order(args, store, policy, control, tuple(own_keys))
        take = Take(store, order, screen, inputs, on_event=control.notice, on_focus=control.look)
        player = Player(policy, control, instructions, take.latest)
        player.on_failure = lambda error: take.stop(EndReason.FAILED, str(error))
        sys.setswitchinterval(_SWITCH_S)
        stop_on_signals(take)
        signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
        offer(Play(take, control, player, instructions, words, policy.name), stack, has_overlay=has_overlay)
        if not args.headless:
            teller = Teller(take, control, player, sys.stderr)
            teller.start()
            stack.callback(teller.close)
            focus_window(window_id)

        def begin(meta: SessionMeta) -> None:
            """Says that the session is being recorded, and lets the policy loose."""
            report_start(args, meta)
            folder = store.session_folder(meta.id)
            player.on_told = lambda t_ns, text: note_told(folder, t_ns, text)
            player.start()

        try:
            result = take.run(on_start=begin, on_stop=player.close)
        finally:
            player.close()
            control.end()
        report(args, result, control, player, policy)
        player.check()
    return 0


def find_window(args: argparse.Namespace) -> int:
    """The one window to play in, whatever its title becomes. Raises NotFound, BadArgument, CaptureUnavailable."""
    connection = windows.connect()
    try:
        return windows.find_window(connection, title=args.window_title, window_id=args.window_id).window_id
    finally:
        windows.disconnect(connection)


def make_order(
    args: argparse.Namespace, store: Store, policy: Policy, control: Control, own_keys: tuple[Hotkey, ...]
) -> Order:
    capture: CaptureSpec = capture_spec(args.fps)
    return Order(
        game=args.game,
        player=args.player,
        capture=capture.model_copy(update={"focus_grace_s": FOCUS_GRACE_S}),
        duration_s=args.duration,
        group_id=args.group,
        other_actors=(Actor(kind=ActorKind.MODEL, name=policy.name),),
        attribute=control.attribute,
        other_hotkeys=own_keys,
        consent=find_consent(store.root, args.player),
        idle_s=0,
    )


def offer(running: Play, stack: ExitStack, *, has_overlay: bool) -> None:
    """Lets `playtape-play say` find the play, and shows the overlay; the play does without either where it must."""
    try:
        remote = Remote(running)
    except PlaytapeError as error:
        print(f"playtape-play say will not find this play, and there is no overlay: {error}", file=sys.stderr)
        return
    remote.start()
    if has_overlay:
        stack.callback(Overlay(remote.announcement).close)
    stack.callback(remote.close)


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
        asked = {name: getattr(args, name) for name in ("keys", "temperature", "steadiness")}
        served = ServedPolicy(peer, {name: value for name, value in asked.items() if value is not None})
        stack.callback(served.close)
    if args.policy == "model":
        if served is None:
            raise BadArgument("Say which model plays: --model ID (or --connect to a server).")
        return served
    clip = served.clip if served is not None else ClipSpec()
    return YardstickPolicy(args.policy, clip, served.space if served is not None else DEFAULT_SPACE, args.seed)


def main(argv: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["say"]:
        return run(say.say, say.build_parser(), words[1:])
    return run(play, build_parser(), words)


if __name__ == "__main__":
    raise SystemExit(main())
