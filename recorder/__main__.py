"""`playtape-record`: records a game's window and what is done in it, with a window of its own or without (--headless)."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from db.cli import add_common, default_person, emit, open_library, run
from db.errors import BadArgument, NothingRecorded
from db.recording.consent import LICENCES, find_consent, give_consent
from db.recording.events import Actor, ActorKind, InputEvent
from db.recording.profiles import load_profile
from db.recording.session import SessionMeta
from db.specs import CaptureSpec
from recorder.backends import Choice, require
from recorder.order import Order
from recorder.sitting import Sitting
from recorder.states import EndReason
from recorder.status import Result
from recorder.take import Take
from recorder.workers import settle


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="playtape-record",
        description="Records a game's window, and the keys and mouse that go to it, into the library.",
        epilog="Without --headless a window opens in which the game is picked.",
    )
    add_common(parser)
    parser.add_argument("--headless", action="store_true", help="record at once, without a window")
    parser.add_argument("--list-windows", action="store_true", help="print the windows that can be recorded")
    add_target(parser)
    parser.add_argument(
        "--region",
        type=parse_region,
        metavar="X,Y,W,H",
        help="record this part of the screen; add a window to record inputs only while it has the focus",
    )
    parser.add_argument("--monitor", type=int, metavar="N", help="record a whole monitor (0: all of the screen)")
    add_order(parser)
    parser.add_argument(
        "--actor", choices=["person", "script"], default="person",
        help="who makes the inputs that the system reports as injected (default: person)",
    )  # fmt: skip
    parser.add_argument("--profile", metavar="NAME", help="the game profile to record and judge by")
    parser.add_argument("--idle", type=float, metavar="S", help="pause after so long without input (0: never)")
    parser.add_argument(
        "--encoder", choices=["fast", "auto"], default="fast",
        help="fast: libx264 at its fastest; auto: try first what this machine sustains, hardware included (default: fast)",
    )  # fmt: skip
    parser.add_argument(
        "--single", action="store_true", help="end with the first session instead of going on in a next"
    )
    parser.add_argument("--anyway", action="store_true", help="record even if the self-test says that it cannot work")
    parser.add_argument(
        "--agree", metavar="LICENCE",
        help=f"agree to what is recorded, for the player, under this licence ({', '.join(LICENCES)})",
    )  # fmt: skip
    return parser


def add_target(parser: argparse.ArgumentParser) -> None:
    """Which window."""
    window = parser.add_mutually_exclusive_group()
    window.add_argument(
        "--window-title", metavar="RE", help="the topmost window whose title has this regular expression in it"
    )
    window.add_argument("--window-id", type=parse_id, metavar="N", help="the window with this X11 id (0x... too)")


def add_order(parser: argparse.ArgumentParser) -> None:
    """How it is recorded and for whom."""
    parser.add_argument("--fps", type=float, metavar="N", help=f"frames a second (default: {CaptureSpec().rate_hz:g})")
    parser.add_argument(
        "--duration", type=float, metavar="S", help="stop after so many seconds (default: until stopped)"
    )
    parser.add_argument("--game", default="", help="the game's name (default: the window's title)")
    parser.add_argument("--player", default=default_person(), help="who plays (default: %(default)s)")
    parser.add_argument("--group", metavar="ID", help="the sitting that this session belongs to (default: a new one)")


def parse_region(text: str) -> tuple[int, int, int, int]:
    """`X,Y,W,H` in pixels."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,W,H in whole pixels") from None
    return x, y, width, height


def parse_id(text: str) -> int:
    """A window's number, decimal or 0x..."""
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a window's number") from None


def capture_spec(fps: float | None) -> CaptureSpec:
    """None: the default rate. Raises BadArgument for a rate that cannot be."""
    if fps is None:
        return CaptureSpec()
    if not 1 <= fps <= 240:
        raise BadArgument(f"{fps:g} frames a second cannot be recorded; choose between 1 and 240.")
    return CaptureSpec(rate_hz=fps)


def record(args: argparse.Namespace) -> int:
    """Headless: until the time is up, something ends it, or a signal asks to stop."""
    choice = Choice(args.window_title, args.window_id, args.region, args.monitor)
    if not (choice.names_window or choice.region_px or choice.monitor is not None):
        raise BadArgument("Say what to record: --window-title, --window-id, --region or --monitor.")
    if args.duration is not None and args.duration <= 0:
        raise BadArgument("--duration must be more than 0 seconds.")
    if args.idle is not None and args.idle < 0:
        raise BadArgument("--idle must be 0 (never) or more seconds.")
    require()
    script = args.actor == "script"
    with open_library(args) as store:
        profile = load_profile(store.root, args.profile) if args.profile else None
        if args.agree:
            give_consent(store.root, args.player, args.agree)
        order = Order(
            game=args.game or (profile.name if profile is not None else ""),
            player=args.player,
            capture=capture_spec(
                args.fps if args.fps is not None else profile.rate_hz if profile is not None else None
            ),
            duration_s=args.duration,
            group_id=args.group,
            other_actors=(Actor(kind=ActorKind.SCRIPT, name="script"),) if script else (),
            attribute=by_simulation if script else by_person,
            profile=profile,
            consent=find_consent(store.root, args.player),
            idle_s=args.idle,
            anyway=args.anyway,
            try_encoders=args.encoder == "auto",
        )
        root = store.root
    return follow(args, root, choice, order)


def follow(args: argparse.Namespace, library: Path, choice: Choice, order: Order) -> int:
    """Runs a sitting to its end, saying when a session begins and what became of it."""
    sitting = Sitting(
        library,
        choice,
        order,
        single=args.single,
        on_start=lambda meta: report_start(args, meta),
        on_result=lambda result: report_result(args, result),
    )
    stop_on_signals(sitting)
    settle()
    sitting.start()
    while sitting.alive:
        sitting.join(0.1)  # a wait without an end would keep Python from seeing signals
    sitting.check()
    if not sitting.results:
        raise NothingRecorded(sitting.notice or "Nothing was recorded.")
    if sitting.notice and sitting.notice != sitting.results[-1].message:  # why there is no next session
        print(sitting.notice, file=sys.stderr)
    return 0


def by_person(event: InputEvent) -> int:
    """Everything is the person's."""
    return 0


def by_simulation(event: InputEvent) -> int:
    """Injected events are the script's (actor 1), physical ones the person's."""
    return int(event.simulated)


def stop_on_signals(take: Take | Sitting) -> None:
    """Ctrl-C and a polite kill end the session cleanly."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: take.stop(EndReason.SIGNAL))


def report_start(args: argparse.Namespace, meta: SessionMeta) -> None:
    width, height = meta.size_px
    facts = {"event": "started", "session": meta.id, "group": meta.group_id, "size_px": meta.size_px}
    emit(args, facts, f"Recording {meta.game} ({width}x{height}) as session {meta.id}; Ctrl-C stops it.")


def report_result(args: argparse.Namespace, result: Result) -> None:
    summary = result.summary
    facts = {"event": "finished", "session": summary.id, "message": result.message, **summary.facts()}
    lines = [
        f"{summary.duration_s:.1f} s, {summary.frames} frames, {summary.bytes / 1e6:.1f} MB; ended: {result.end_reason}",
        f"verdict: {summary.grade}",
        *(f"  - {reason}" for reason in summary.verdict.reasons),
    ]
    if result.message:
        lines.insert(1, result.message)
    emit(args, facts, "\n".join(lines))


def list_windows(args: argparse.Namespace) -> int:
    require()
    from recorder.screen import windows

    connection = windows.connect()
    try:
        for window in windows.list_windows(connection):
            facts = {
                "id": window.window_id,
                "title": window.title,
                "size_px": window.size_px,
                "position_px": window.position_px,
            }
            width, height = window.size_px
            emit(args, facts, f"{window.window_id:>10}  {width:>5}x{height:<5}  {window.title}")
    finally:
        connection.close()
    return 0


def check_windowed(args: argparse.Namespace) -> None:
    """Raises BadArgument for options that only mean something without a window."""
    plain = build_parser().parse_args([])
    for name in ("region", "monitor", "duration", "actor", "profile", "idle", "encoder", "single", "anyway", "agree"):
        if getattr(args, name) != getattr(plain, name):
            raise BadArgument(f"--{name} goes with --headless; in the window it is chosen there.")
    capture_spec(args.fps)
    if args.window_title:
        parse_pattern(args.window_title)


def parse_pattern(text: str) -> re.Pattern[str]:
    """Raises BadArgument for what is no regular expression."""
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise BadArgument(f"The window title {text!r} is not a regular expression: {error}.") from None


def command(args: argparse.Namespace) -> int:
    if args.list_windows:
        return list_windows(args)
    if args.headless:
        return record(args)
    check_windowed(args)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        require()  # elsewhere the window itself says what is in the way
    from recorder.ui.app import show

    status: int = show(args)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    return run(command, build_parser(), argv)


if __name__ == "__main__":
    raise SystemExit(main())
