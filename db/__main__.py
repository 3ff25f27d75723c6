"""`playtape-db`: looks after the library: list, show, verify, recover, rebuild, export, import, annotations, withdraw,
delete."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from db.cli import add_common, emit, open_library, run
from db.errors import BadArgument, NotFound
from db.filters import add_filters, wanted
from db.formats.commands import add_export, add_import, export_sessions, import_files
from db.labelling.annotations import FILE_FORMATS, FileFormat, export_annotations
from db.labelling.labels import LabelKind, spans
from db.library.catalogue import SessionSummary
from db.progressline import ProgressLine
from db.recording.keys import label
from db.store import Store
from db.upkeep.moving import finish_move, give_up, move_library, unfinished_move
from db.upkeep.withdrawal import SUFFIX, sendings, withdraw, write_notice


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="playtape-db", description="Looks after a library of recorded sessions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        add_common(sub)
        sub.set_defaults(command=function)
        return sub

    sub = command("list", list_sessions, "List the sessions of the library, newest first.")
    add_filters(sub)
    sub = command("show", show_session, "Show one session: its facts, verdict, keys and labels.")
    sub.add_argument("session", metavar="SESSION", help="a session's id, or its first or last characters")
    sub = command("verify", verify_sessions, "Decode every frame and check that packets, rows and clock agree.")
    sub.add_argument("session", nargs="*", metavar="SESSION", help="which sessions (default: all)")
    command("recover", recover_sessions, "Put sessions in order that were cut off while recording.")
    command("rebuild", rebuild_index, "Enter every session's folder into the index again.")
    add_export(command("export", export_sessions, "Write sessions into a folder, in a format of one's choice."))
    sub = command(
        "annotations", write_annotations, "Write the labels in force of many sessions as one CSV or JSON file."
    )
    sub.add_argument(
        "session", nargs="*", metavar="SESSION", help="which sessions (default: all that the filters leave)"
    )
    sub.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    sub.add_argument("--format", choices=FILE_FORMATS, help="default: by the file's ending, else csv")
    sub.add_argument("--suggestions", action="store_true", help="also what nobody has confirmed")
    add_filters(sub)
    sub = command(
        "import",
        import_files,
        "Bring recordings in; what is there already is known, and annotations of known sessions are merged. "
        f"A *{SUFFIX} file removes for good the session that its player took back.",
    )
    add_import(sub)
    sub = command(
        "withdraw",
        withdraw_sessions,
        "Take sessions back: no dataset takes them any more, they cannot be exported, and a notice for those who have "
        "them is written.",
    )
    sub.add_argument("session", nargs="+", metavar="SESSION")
    sub.add_argument(
        "--out", type=Path, default=Path(), metavar="FILE", help="the notice's file, or a folder (default: here)"
    )
    sub = command(
        "move",
        move_library_to,
        "Move the whole library into another folder; whoever opens the old one is led there. Goes on where it was cut off.",
    )
    sub.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="a new or empty folder")
    sub.add_argument("--give-up", action="store_true", help="remove what a move that was cut off brought elsewhere")
    sub = command("delete", delete_sessions, "Remove sessions and their labels for good.")
    sub.add_argument("session", nargs="+", metavar="SESSION")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    return run(lambda args: args.command(args), build_parser(), argv)


def list_sessions(args: argparse.Namespace) -> int:
    with open_library(args, create=False) as store:
        found = store.search(wanted(args, withdrawn=True))
    for summary in found:
        emit(args, summary.facts(), _line(summary))
    if not args.json:
        hours = sum(summary.duration_s for summary in found) / 3600
        print(f"{len(found)} session{'s' * (len(found) != 1)}, {hours:.2f} hours")
    return 0


def show_session(args: argparse.Namespace) -> int:
    with open_library(args, create=False) as store:
        session_id = store.find(args.session)
        summary, recording = store.summary(session_id), store.recording(session_id)
        labels = [edit for edit in spans(store.edits(session_id)) if not edit.is_blind]
        track = recording.resolve()
        presses = {label(code): int(track.presses[:, i].sum()) for i, code in enumerate(track.codes)}
        facts = summary.facts() | {
            "events": len(recording.events),
            "presses": presses,
            "gaps": len(recording.gaps),
            "dropped_frames": recording.meta.dropped_frames,
            "labels": [edit.model_dump(mode="json") for edit in labels],
            "folder": str(recording.folder),
        }
    lines = [_line(summary), f"  folder   {facts['folder']}", f"  ended    {summary.end_reason}"]
    lines += [f"  verdict  {summary.grade}" + "".join(f"\n           - {reason}" for reason in summary.verdict.reasons)]
    lines += ["  presses  " + (", ".join(f"{name} {count}" for name, count in presses.items()) or "none")]
    lines += [
        f"  {e.kind.value:<12} {e.start:>6}-{e.stop:<6} {e.value}" for e in labels if e.kind is not LabelKind.ACTION
    ]
    emit(args, facts, "\n".join(lines))
    return 0


def verify_sessions(args: argparse.Namespace) -> int:
    failed = 0
    with open_library(args, create=False) as store:
        chosen = [store.find(part) for part in args.session] or [summary.id for summary in store.search()]
        for session_id in chosen:
            problems = store.verify(session_id)
            failed += bool(problems)
            emit(args, {"id": session_id, "problems": problems}, f"{session_id}  {' '.join(problems) or 'whole'}")
    return 1 if failed else 0


def recover_sessions(args: argparse.Namespace) -> int:
    with open_library(args, create=False, recover=False) as store:
        reports = store.recover(again=True)
    for report in reports:
        facts = {"id": report.session_id, "frames": report.frames, "error": report.error}
        emit(args, facts, f"{report.session_id}  " + (report.error or f"recovered with {report.frames} frames"))
    if not reports and not args.json:
        print("Nothing was cut off.")
    return 1 if any(report.error for report in reports) else 0


def rebuild_index(args: argparse.Namespace) -> int:
    with open_library(args, recover=False) as store:
        entered, problems = store.rebuild()
    text = f"{entered} session{'s' * (entered != 1)} entered."
    emit(args, {"entered": entered, "problems": problems}, "\n".join([text, *problems]))
    return 1 if problems else 0


def write_annotations(args: argparse.Namespace) -> int:
    with open_library(args, create=False) as store:
        chosen = {store.find(part) for part in args.session}
        found = [line.id for line in store.search(wanted(args, withdrawn=False)) if not chosen or line.id in chosen]
        by_name: FileFormat = "json" if args.out.suffix.lower() == ".json" else "csv"
        report = export_annotations(store, found, args.out, args.format or by_name, suggestions=args.suggestions)
    emit(args, vars(report), "\n".join([report.text, *report.problems[1:]]))
    return 1 if report.problems else 0


def withdraw_sessions(args: argparse.Namespace) -> int:
    with open_library(args, create=False) as store:
        sent = [_find_sent(store, part) for part in args.session]
        if len(sent) > 1 and not args.out.is_dir():
            raise BadArgument(f"{args.out} is not a folder, and {len(sent)} notices do not fit into one file.")
        for session_id in sent:
            withdrawn = withdraw(store, session_id)
            notice = write_notice(withdrawn, args.out)
            facts = {"id": session_id, "withdrawn_at": withdrawn.at, "notice": str(notice)}
            emit(args, facts, f"{withdrawn.sentence()}. Give {notice} to those who have it.")
    return 0


def _find_sent(store: Store, part: str) -> str:
    """A session of the library, or one that was sent from it and deleted since, by its whole id."""
    try:
        return store.find(part)
    except NotFound:
        if part in sendings(store.root):
            return part
        raise


def delete_sessions(args: argparse.Namespace) -> int:
    with open_library(args, create=False) as store:
        for session_id in [store.find(part) for part in args.session]:
            store.delete(session_id)
            emit(args, {"id": session_id, "deleted": True}, f"{session_id}  deleted")
    return 0


def move_library_to(args: argparse.Namespace) -> int:
    with open_library(args, create=False) as store:
        root = store.root
        if args.give_up:
            place = unfinished_move(root)
            give_up(root)
            done = f"The move to {place} was given up; the library is in {root}."
            emit(args, {"library": str(root), "given_up": str(place)}, done if place else "No move was cut off.")
            return 0
        target = args.folder or unfinished_move(root)
        if target is None:
            raise BadArgument("Name the folder to move the library to.")
        with ProgressLine("moving") as line:
            move_library(store, target, lambda done, total: line.tell(done / max(total, 1)))
    target = target.expanduser().resolve()
    left = finish_move(target)
    text = f"The library is in {target} now; {root} leads there."
    if left:
        text += f" {len(left)} recording(s) go on in the old folder and follow when they are stopped and Playtape is opened."
    emit(args, {"library": str(target), "moved_from": str(root), "left": left}, text)
    return 0


def _line(summary: SessionSummary) -> str:
    minutes, seconds = divmod(round(summary.duration_s), 60)
    when = summary.started_at.astimezone().strftime("%Y-%m-%d %H:%M")
    size = f"{summary.size_px[0]}x{summary.size_px[1]}"
    review = "withdrawn" if summary.withdrawn_at is not None else summary.review.value
    return (
        f"{summary.id}  {when}  {minutes:>3}:{seconds:02}  {size:>9}  {summary.bytes / 1e6:>7.1f} MB  "
        f"{summary.grade:<6}  {review:<10}  {summary.game} / {summary.player}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
