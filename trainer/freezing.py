"""The command `playtape-train dataset`, from parsed arguments to what is printed. Needs no torch unless it imputes."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import TYPE_CHECKING, get_args

from db.cli import emit, open_library
from db.errors import BadArgument
from db.progressline import ProgressLine
from db.recording.keys import label
from trainer.configs import clip_named
from trainer.data.choice import Choice, read_day, words
from trainer.data.dataset import freeze
from trainer.data.imputed import DEFAULT_CONFIDENCE
from trainer.data.manifest import Manifest, SplitBy
from trainer.data.preview import Preview, preview

if TYPE_CHECKING:
    from db.store import Store

_STOPPED = 130


def read_choice(args: argparse.Namespace) -> Choice:
    """What the options of `trainer.options.add_choice` ask for. Raises BadArgument."""
    since = read_day(args.since) if args.since else None
    until = read_day(args.until, is_last=True) if args.until else None
    if since and until and since >= until:
        raise BadArgument(f"--since {args.since} is after --until {args.until}; no session can be both.")
    return Choice(
        games=words(args.game),
        players=words(args.player),
        tags=words(args.tag),
        since=since,
        until=until,
        review=args.review,
        min_grade=args.min_grade,
        flags_out=words(args.flag_out) if args.flag_out is not None else None,
    )


def freeze_dataset(args: argparse.Namespace) -> int:
    """Exit status 0 with a dataset or its preview, 130 when imputing was stopped; asking again goes on from there."""
    assert args.by in get_args(SplitBy)
    choice, clip = read_choice(args), clip_named(args.config)
    how = {"held_out_share": args.held_out_share, "by": args.by, "seed": args.seed}
    if args.min_confidence is not None and not args.impute_with:
        raise BadArgument("--min-confidence says how sure --impute-with must be; name an IDM with that.")
    with open_library(args, create=False) as store:
        if args.preview:
            counts = preview(store, choice, clip=clip, **how)
            emit(args, counts.facts(), render_preview(counts))
            return 0
        if not args.impute_with:
            _tell(args, store, freeze(store, clip=clip, choice=choice, **how))
            return 0
        return _freeze_imputed(args, store, choice, how)


def _freeze_imputed(args: argparse.Namespace, store: Store, choice: Choice, how: dict[str, object]) -> int:
    from trainer.imputing import open_imputer
    from trainer.training.stopping import Stopped, stop_signals

    with (
        stop_signals() as stopped,
        nullcontext() if args.json else ProgressLine("imputing") as line,
    ):

        def progress(session_id: str, done: int, total: int) -> None:
            if line is not None:
                line.tell(done / max(total, 1))
            else:
                emit(args, {"phase": "imputing", "session": session_id, "step": done, "steps": total}, "")

        confidence = args.min_confidence if args.min_confidence is not None else DEFAULT_CONFIDENCE
        imputer = open_imputer(
            store, args.impute_with, min_confidence=confidence, any_game=args.any_game, device=args.device,
            threads=args.threads, progress=progress, stopped=stopped,
        )  # fmt: skip
        try:
            manifest = freeze(store, clip=clip_named(args.config), choice=choice, imputer=imputer, **how)  # type: ignore[arg-type]
        except Stopped:
            emit(args, {"stopped": True}, "stopped; the same command goes on from here")
            return _STOPPED
    _tell(args, store, manifest)
    return 0


def _tell(args: argparse.Namespace, store: Store, manifest: Manifest) -> None:
    counts = {split: len(manifest.of(split, "human")) for split in manifest.hours}
    facts = manifest.model_dump(
        mode="json", include={"id", "hash", "hours", "keys", "warnings", "games", "imputed_hours", "choice"}
    )
    imputed = len(manifest.of("train", "imputed"))
    facts |= {"sessions": counts, "imputed_sessions": imputed, "path": str(store.datasets_dir / manifest.id)}
    emit(args, facts, render(manifest))


def render(manifest: Manifest) -> str:
    """A dataset for a terminal."""
    lines = [f"dataset {manifest.id}  (hash {manifest.hash[:12]})"]
    lines += [
        f"  {split:<12}{len(manifest.of(split, 'human')):>4} sessions {hours * 60:8.1f} min"
        for split, hours in manifest.hours.items()
    ]
    if imputed := len(manifest.of("train", "imputed")):
        lines.append(f"  {'imputed':<12}{imputed:>4} sessions {manifest.imputed_hours * 60:8.1f} min")
    if len(manifest.games) > 1:
        lines += [f"  {game:<24}{hours * 60:8.1f} min" for game, hours in manifest.games.items()]
    lines += [
        f"  {label(key.code):<8}{key.train_share:7.1%} of the time, {key.train_presses} presses"
        for key in manifest.keys
    ]
    return "\n".join(lines + [f"  note: {warning}" for warning in manifest.warnings])


def render_preview(counts: Preview) -> str:
    """Counts for a terminal."""
    lines = [f"{counts.sessions} sessions, {sum(counts.hours.values()) * 60:.1f} min, not frozen"]
    lines += [f"  {split:<12}{counts.splits[split]:>4} sessions {h * 60:8.1f} min" for split, h in counts.hours.items()]
    lines += [f"  {game:<24}{hours * 60:8.1f} min" for game, hours in counts.games.items()]
    lines += [f"  {counts.videos} videos without inputs, {counts.video_hours * 60:.1f} min"] if counts.videos else []
    lines.append(f"  {counts.told_share:.0%} of the time has an instruction")
    lines += [
        f"  {key.name:<8}{key.share:7.1%} of the time, presses: "
        + ", ".join(f"{split} {count}" for split, count in key.presses.items())
        for key in counts.keys
    ]
    lines += [f"  note: {warning}" for warning in counts.warnings]
    return "\n".join([*lines, *([f"  cannot be frozen: {counts.problem}"] if counts.problem else [])])
