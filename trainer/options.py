"""Options that several commands of `playtape-train` share. Imports nothing, so that --help is quick."""

from __future__ import annotations

import argparse


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options that say which sessions and which frames a dataset is made of."""
    parser.add_argument("--game", metavar="G", action="append", help="only this game's sessions (several: any of them)")
    parser.add_argument("--player", metavar="P", action="append", help="only this player's (several: any of them)")
    parser.add_argument("--tag", metavar="T", action="append", help="only those with this tag (several: any of them)")
    parser.add_argument("--since", metavar="DATE", help="recorded on this day or later, as in 2026-02-28")
    parser.add_argument("--until", metavar="DATE", help="recorded on this day or earlier")
    parser.add_argument(
        "--review",
        choices=("accepted", "any"),
        default="accepted",
        help="any: all but the rejected (default: accepted)",
    )
    parser.add_argument(
        "--min-grade", choices=("bad", "usable", "good"), default="bad", help="at least so good (default: bad, all)"
    )
    parser.add_argument(
        "--flag-out",
        metavar="WORD",
        action="append",
        help="frames with this flag are not learnt from (default: with any flag; private ones never are)",
    )
    parser.add_argument(
        "--config", default="quick", help="the configuration whose picture size and rate to freeze (default: quick)"
    )
    parser.add_argument("--held-out-share", type=float, default=0.2, metavar="S", help="share held out (default: 0.2)")
    parser.add_argument(
        "--by",
        choices=("group", "game", "player"),
        default="group",
        help="what never straddles the splits (default: group)",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides which groups are held out (default: 0)")


def add_lengths(parser: argparse.ArgumentParser, minutes: str, steps: str) -> None:
    """How long to train, how fast, and where."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, metavar="M", help=minutes)
    length.add_argument("--steps", type=int, metavar="N", help=steps)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="default: auto")


def add_impute(parser: argparse.ArgumentParser) -> None:
    """How what an IDM imputes becomes part of a dataset."""
    parser.add_argument(
        "--min-confidence",
        type=float,
        metavar="C",
        help="how sure of its least sure key the IDM must be of a frame, 0 to 1 (default: 0.5)",
    )
    parser.add_argument("--any-game", action="store_true", help="impute games too that the IDM has not seen")


def add_sources(parser: argparse.ArgumentParser, kind: str) -> None:
    """Whose actions a model learns, and what it begins with; a policy may learn from one source after the other."""
    whose = ("all", "human", "imputed")
    usual = "human" if kind == "idm" else "all"
    parser.add_argument("--train-on", choices=whose, help=f"whose actions to learn (default: {usual})")
    parser.add_argument("--start-from", metavar="MODEL", help="begin with this model's weights instead of fresh ones")
    if kind == "policy":
        parser.add_argument("--pretrain-on", choices=whose, help="learn in two stages, first from these")
        parser.add_argument("--finetune-on", choices=whose, help="and then from these (default: human)")
        add_pretrain_share(parser)


def add_pretrain_share(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pretrain-share",
        type=float,
        metavar="S",
        help="of the policy's minutes or steps, what the first stage takes (default: 0.5)",
    )


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """How a policy's actions are drawn."""
    parser.add_argument(
        "--keys",
        choices=("sample", "threshold"),
        default="sample",
        help="draw keys from their probabilities, or press at the tuned thresholds (default: sample)",
    )
    parser.add_argument(
        "--steadiness",
        type=float,
        default=0.9,
        metavar="S",
        help="likeness of one draw to the next, 0 to 1 (default: 0.9)",
    )
    parser.add_argument("--temperature", type=float, default=1.0, help="of what is drawn (default: 1)")


def add_play(parser: argparse.ArgumentParser) -> None:
    """What a policy is to play, and what it is told."""
    playing = parser.add_argument_group(
        "playing",
        "A policy plays episodes in a game, beside random, no-op, repeat-last and the game's own demonstrator.",
    )
    playing.add_argument(
        "--play",
        metavar="GAME",
        help="play this game: MODULE:FACTORY (see trainer.episodes.game), or one that a package offers; an evaluation that "
        "is there is kept, and what was played is added to it",
    )
    playing.add_argument("--episodes", type=int, default=16, metavar="N", help="of each task and player (default: 16)")
    playing.add_argument("--first-seed", type=int, default=1000, metavar="N", help="of the episodes (default: 1000)")
    playing.add_argument(
        "--task", action="append", metavar="TEXT", help="only this instruction of the game's (several: all of them)"
    )
    playing.add_argument(
        "--tell",
        nargs="+",
        default=(),
        choices=("nothing", "another", "unseen"),
        help="also play with nothing told, with what another task asks for, in words that training has not seen",
    )
    playing.add_argument(
        "--films",
        type=int,
        default=0,
        metavar="N",
        help="record N episodes as well, and measure what the encoder does to the policy's outputs",
    )
    add_sampling(parser)
