"""`playtape-train`: freeze a dataset, train an inverse-dynamics model and a policy, evaluate, predict, serve."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from db.cli import add_common, run
from trainer.options import (
    add_choice,
    add_impute,
    add_lengths,
    add_play,
    add_pretrain_share,
    add_sampling,
    add_sources,
)

# torch takes seconds to import, so each command imports what it needs, and --help needs nothing.


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; see `db.cli.run`."""
    parser = build_parser()
    return run(_dispatch, parser, argv)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="playtape-train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_dataset(commands)
    for kind, what in (
        ("idm", "an inverse-dynamics model: pictures -> the keys and the mouse that were used"),
        ("policy", "a policy: pictures and an instruction -> keys and mouse"),
    ):
        _add_training(commands, kind, what)
    _add_correct(commands)
    _add_pipeline(commands)
    _add_evaluate(commands)
    _add_compare(commands)
    _add_predict(commands)
    _add_label(commands)
    _add_expect(commands)
    _add_serve(commands)
    _add_brake_light(commands)
    _command(commands, "configurations", "name the configurations, and what this machine makes of each")
    return parser


Commands = argparse._SubParsersAction  # the only name argparse has for it


def _command(commands: Commands[argparse.ArgumentParser], name: str, what: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    add_common(parser)
    return parser


def _add_dataset(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "dataset", "freeze a dataset from the sessions that are chosen")
    add_choice(parser)
    parser.add_argument("--preview", action="store_true", help="only count what it would hold")
    parser.add_argument(
        "--impute-with", metavar="MODEL", help="also sessions without inputs, with the actions that this IDM imputes"
    )
    add_impute(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    _add_device(parser)


def _add_training(commands: Commands[argparse.ArgumentParser], kind: str, what: str) -> None:
    parser = _command(commands, kind, f"train {what}")
    parser.add_argument("--dataset", metavar="ID", help="default: the newest")
    parser.add_argument("--config", default="quick", help="default: quick")
    parser.add_argument(
        "--text-encoder",
        default="hashed",
        metavar="E",
        help="what reads a policy's instructions: hashed (learnt with it), installed, or the folder of a frozen sentence "
        "encoder; nothing is downloaded (default: hashed)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes", type=float, metavar="M", help="time budget; a trial turns it into steps (default: 4)"
    )
    length.add_argument("--steps", type=int, metavar="N", help="exactly so many steps")
    length.add_argument("--resume", metavar="RUN", help="go on with a run that was stopped, exactly where it was saved")
    add_sources(parser, kind)
    parser.add_argument(
        "--shard", action="store_true", help="under torchrun: share out the weights too (FSDP2), for the largest models"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    _add_device(parser)


def _add_correct(commands: Commands[argparse.ArgumentParser]) -> None:
    what = "let a policy go on learning from where people took over from it, and score it before and after"
    parser = _command(commands, "correct", what)
    parser.add_argument("--model", metavar="ID", help="the policy (default: the newest)")
    parser.add_argument(
        "--session", metavar="ID", action="append",
        help="a session in which somebody took over (several; default: all of its games, but for the rejected)",
    )  # fmt: skip
    parser.add_argument(
        "--share", type=float, metavar="S", help="of the clips it learns from, those of corrections (default: 0.5)"
    )
    add_lengths(parser, "time budget; a trial turns it into steps (default: 4)", "exactly so many steps")
    parser.add_argument("--seed", type=int, default=0)


def _add_pipeline(commands: Commands[argparse.ArgumentParser]) -> None:
    what = "dataset, IDM, labels for videos, policy in two stages and evaluation in one go"
    parser = _command(commands, "pipeline", what)
    add_choice(parser)
    parser.add_argument(
        "--models", choices=("both", "idm", "policy"), default="both", help="what to train (default: both)"
    )
    parser.add_argument("--dataset", metavar="ID", help="one that is frozen already, in place of a choice of sessions")
    add_impute(parser)
    add_lengths(parser, "for all trainings together (default: 12)", "exactly so many steps for each model")
    add_pretrain_share(parser)
    parser.add_argument(
        "--idm-share", type=float, metavar="S", help="of the minutes, what the IDM takes (default: 0.4)"
    )
    parser.add_argument("--resume", metavar="PIPELINE", help="go on with one that was stopped; nothing else is asked")


def _add_evaluate(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "evaluate", "score a model beside its baselines")
    parser.add_argument("--model", metavar="ID", required=True)
    parser.add_argument("--split", choices=("held-out", "calibration", "train"), default="held-out")
    parser.add_argument(
        "--paraphrases",
        type=Path,
        metavar="FILE.json",
        help="also score a policy with other words: an object of instructions, each with a list of wordings",
    )
    add_play(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    _add_device(parser)


def _add_compare(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "compare", "put the figures of several models side by side, on the same sessions")
    parser.add_argument("models", metavar="MODEL", nargs="+", help="two or more; those not evaluated yet are, first")
    parser.add_argument("--split", choices=("held-out", "calibration", "train"), default="held-out")
    parser.add_argument(
        "--out", type=Path, default=Path("comparison.html"), metavar="FILE", help="the page (default: comparison.html)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    _add_device(parser)


def _add_predict(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "predict", "write what a model says about one session, beside what was recorded")
    parser.add_argument("--model", metavar="ID", required=True)
    parser.add_argument("--session", metavar="ID", required=True)
    parser.add_argument("--out", metavar="FILE.npz", type=Path, required=True)
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")


def _add_label(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "label", "suggest the actions of sessions whose inputs were not recorded, by an IDM")
    parser.add_argument("--model", metavar="ID", required=True, help="an IDM")
    parser.add_argument("sessions", metavar="SESSION", nargs="+", help="an id, or enough of one")
    parser.add_argument(
        "--disagreements",
        type=float,
        nargs="?",
        const=0.95,
        metavar="SURE",
        help="also doubt recorded keys where the model is at least so sure of something else (0.5 to 1; alone: 0.95)",
    )
    parser.add_argument("--any-game", action="store_true", help="also sessions of games that the model has not seen")
    parser.add_argument("--person", metavar="ID", help="in whose name it is suggested (default: yours)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    _add_device(parser)


def _add_expect(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "expect", "keep what an IDM expects, so that the annotator shows where recordings disagree"
    )
    parser.add_argument("--model", metavar="ID", required=True, help="an IDM")
    parser.add_argument("sessions", metavar="SESSION", nargs="+", help="an id, or enough of one")
    parser.add_argument("--any-game", action="store_true", help="also sessions of games that the model has not seen")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    _add_device(parser)


def _add_serve(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "serve", "answer live pictures with a policy's actions")
    parser.add_argument("--model", metavar="ID", help="default: the newest policy")
    parser.add_argument("--address", metavar="A", help="HOST:PORT or the path of a socket (default: a local one)")
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="where to write the secret (default: a private folder)"
    )
    add_sampling(parser)
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="default: 1, which leaves the rest to the game"
    )
    parser.add_argument(
        "--idle-s",
        type=float,
        default=600.0,
        metavar="S",
        help="end when nobody is connected for so long (default: 600)",
    )
    parser.add_argument("--seed", type=int, default=0)
    _add_device(parser)


def _add_brake_light(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "brake-light", "the toy study of causality: what depth makes of a spurious cue")
    parser.add_argument(
        "--out", type=Path, default=Path("brake-light.svg"), metavar="FILE", help="the plot: .svg or .png"
    )
    parser.add_argument("--steps", type=int, default=20_000, metavar="N", help="steps of SGD (default: 20000)")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="networks of each depth (default: 5)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor threads (default: 1)")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="default: auto")


def _dispatch(args: argparse.Namespace) -> int:
    if args.command == "dataset":  # counted live while somebody chooses: no time for torch
        from trainer.freezing import freeze_dataset

        return freeze_dataset(args)
    if args.command == "configurations":
        from trainer.machine import tell_configurations

        return tell_configurations(args)
    if args.command == "pipeline" or (args.command == "policy" and args.pretrain_on):
        from trainer.pipelining import run_pipeline, train_in_two_stages

        return run_pipeline(args) if args.command == "pipeline" else train_in_two_stages(args)
    if args.command == "evaluate" and args.play:
        from trainer.playing import play_model

        return play_model(args)
    from trainer import commands, correcting, expecting, labelling

    chosen = {
        "idm": commands.train_model,
        "policy": commands.train_model,
        "correct": correcting.correct_model,
        "evaluate": commands.evaluate_model,
        "compare": commands.compare_models,
        "predict": commands.predict_session,
        "label": labelling.label_sessions,
        "expect": expecting.expect_sessions,
        "serve": commands.serve_model,
        "brake-light": commands.study_brake_light,
    }
    return chosen[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
