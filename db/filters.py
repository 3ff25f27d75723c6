"""The filters of command lines that choose among sessions."""

from __future__ import annotations

import argparse

from db.labelling.labels import Review
from db.library.catalogue import Wanted


def add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--game")
    parser.add_argument("--player")
    parser.add_argument("--review", choices=[state.value for state in Review])
    parser.add_argument("--grade", choices=["good", "usable", "bad"])
    parser.add_argument("--text", metavar="WORDS", help="only sessions with these words in the game, player or labels")


def wanted(args: argparse.Namespace, *, withdrawn: bool) -> Wanted:
    """What the filters of the command line ask for."""
    review = Review(args.review) if args.review else None
    return Wanted(args.text, args.game, args.player, review=review, grade=args.grade, withdrawn=withdrawn)
