"""`playtape-play say TEXT`: tells the running play another instruction, from any terminal or script."""

from __future__ import annotations

import argparse

from db.cli import add_common, emit
from recorder.play.remote import ask, find_play


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="playtape-play say",
        description="Tells the model that is playing another instruction; it goes by it from the next frame on.",
        epilog="This takes over nothing: whoever is in control stays so. The change is stored in the session.",
    )
    add_common(parser)
    parser.add_argument("text", metavar="TEXT", help='what the model shall do ("": no instruction)')
    return parser


def say(args: argparse.Namespace) -> int:
    peer = find_play()
    try:
        told = ask(peer, "say", {"text": args.text})["text"]
    finally:
        peer.close()
    emit(args, {"event": "said", "text": told}, f"The model is told: {told}" if told else "No instruction any more.")
    return 0
