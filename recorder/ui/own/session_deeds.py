"""What is done to sessions once it was answered yes: its words, and its work for a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from db.errors import BadArgument
from db.formats.interchange import export_session
from db.store import Store
from db.upkeep.withdrawal import note_sent, withdraw, write_notice
from recorder.ui.live.gauges import size_text
from recorder.ui.own.session_actions import Deed
from recorder.ui.own.session_table import Line

Work = Callable[[Callable[[float], None], Event], str]


class _Cancelled(Exception):
    pass


def question(deed: Deed, lines: Sequence[Line]) -> str:
    """What the person is asked before it is done."""
    what, size = _these(lines), size_text(sum(line.summary.bytes for line in lines))
    sent = sum(bool(line.sent) for line in lines)
    if deed is Deed.SEND:
        return f"Write {what}, labels included, as {_files(len(lines))} to hand on ({size})"
    if deed is Deed.WITHDRAW:
        text = f"Withdraw {what}? No dataset takes it any more and it cannot be sent again; this cannot be undone."
        told = " A notice is written for those who have it: bringing it in removes the session there."
        return text + (told if sent else " It was not sent from here, so nobody needs to be told.")
    text = f"Delete {what} for good ({size})?"
    return text + (" Those whom it was sent to keep it: withdraw it first if they should not." if sent else "")


def writes(deed: Deed, lines: Sequence[Line]) -> bool:
    """Whether a folder to write to is needed."""
    return deed is Deed.SEND or (deed is Deed.WITHDRAW and any(line.sent for line in lines))


def doing(deed: Deed, count: int) -> str:
    """What is said while it is done."""
    return {Deed.SEND: "Writing", Deed.WITHDRAW: "Withdrawing", Deed.DELETE: "Deleting"}[deed] + f" {_count(count)}"


def work(deed: Deed, library: Path, lines: Sequence[Line], folder: Path | None) -> Work:
    """What a thread does; gives the sentence that the person is told at the end."""
    return {Deed.SEND: _send, Deed.WITHDRAW: _withdraw, Deed.DELETE: _delete}[deed](library, list(lines), folder)


def _send(library: Path, lines: list[Line], folder: Path | None) -> Work:
    def send(progress: Callable[[float], None], cancelled: Event) -> str:
        target = _existing(folder)
        whole = max(sum(line.summary.bytes for line in lines), 1)
        done, written = 0, 0
        path = target
        with Store.open(library, create=False) as store:
            for line in lines:

                def advance(share: float, line: Line = line, done: int = done) -> None:
                    if cancelled.is_set():
                        raise _Cancelled
                    progress((done + share * line.summary.bytes) / whole)

                try:
                    path = export_session(store, line.summary.id, target, progress=advance)
                except _Cancelled:
                    return f"Ended; {_files(written)} written into {target}." if written else "Ended; nothing written."
                note_sent(store, line.summary.id, path)
                done, written = done + line.summary.bytes, written + 1
        return f"Written: {path}" if written == 1 else f"{written} files written into {target}."

    return send


def _withdraw(library: Path, lines: list[Line], folder: Path | None) -> Work:
    def take_back(progress: Callable[[float], None], cancelled: Event) -> str:
        told = 0
        with Store.open(library, create=False) as store:
            for number, line in enumerate(lines, start=1):
                target = _existing(folder) if line.sent else None
                made = withdraw(store, line.summary.id)
                if target is not None:
                    write_notice(made, target)
                    told += 1
                progress(number / len(lines))
        if not told:
            return "Withdrawn."
        notice = "The notice is" if told == 1 else "The notices are"
        return f"Withdrawn. {notice} in {folder}: give it to those who have the session."

    return take_back


def _delete(library: Path, lines: list[Line], folder: Path | None) -> Work:
    def delete(progress: Callable[[float], None], cancelled: Event) -> str:
        with Store.open(library, create=False) as store:
            for number, line in enumerate(lines):
                if cancelled.is_set():
                    return f"Ended; {_count(number)} deleted."
                store.delete(line.summary.id)
                progress((number + 1) / len(lines))
        return f"Deleted {_count(len(lines))}."

    return delete


def _existing(folder: Path | None) -> Path:
    if folder is None or not folder.is_dir():
        raise BadArgument(f"{folder or 'Nothing'} is not a folder; choose one that exists.")
    return folder


def _these(lines: Sequence[Line]) -> str:
    return "this session" if len(lines) == 1 else f"these {len(lines)} sessions"


def _count(number: int) -> str:
    return f"{number} session{'s' * (number != 1)}"


def _files(number: int) -> str:
    return "one file" if number == 1 else f"{number} files"
