"""Exports that appear whole or not at all, and are not written again where they are there already, unchanged.

<out>/.<name>.new      what is being written; a run that was killed leaves it, and the next one to that place clears it away
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from db.errors import BadArgument, DiskFull, PlaytapeError, StoreReadOnly, from_os_error
from db.files import read_object, sync_folder
from db.formats.format import Tell
from db.formats.report import Report

ABOUT = "about.json"
_ABOUT_MAX = 1 << 20


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A hidden folder that becomes `target` at the end, or is removed where the work fails.

    Raises BadArgument where `target` is there already, DiskFull, StoreReadOnly and BadFile.
    """
    if target.exists():
        raise BadArgument(f"{target} is there already; move it away or choose another folder.")
    with hidden(target) as folder:
        yield folder
        folder.rename(target)
        sync_folder(target.parent)


@contextmanager
def hidden(target: Path) -> Iterator[Path]:
    """A hidden folder beside `target` to prepare it in; removed at the end. Raises DiskFull, StoreReadOnly and BadFile."""
    folder = target.with_name(f".{target.name}.new")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        yield folder
    except OSError as error:
        raise from_os_error(error, target) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def one_by_one(
    session_ids: Sequence[str],
    write: Callable[[str, Tell], Report],
    tell: Callable[[str, float], None],
) -> Generator[Report, None, None]:
    """Writes sessions that stand alone, each by `write(session_id, tell)`; one that is refused stops none of the others."""
    for session_id in session_ids:
        try:
            yield write(session_id, lambda share, session_id=session_id: tell(session_id, share))  # type: ignore[misc]
        except (DiskFull, StoreReadOnly):
            raise
        except PlaytapeError as error:
            yield refusal(session_id, error, session_id=session_id)


def refusal(name: str, error: PlaytapeError, *, session_id: str = "", path: str = "") -> Report:
    """The report on a source or session that was refused."""
    return Report(name, "refused", session_id, path, error=str(error), facts={"kind": type(error).__name__})


def write_about(folder: Path, facts: dict[str, Any]) -> None:
    """Says in words and numbers what an export is. Raises OSError."""
    (folder / ABOUT).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def is_there(target: Path, format_name: str, state: str) -> bool:
    """Whether `target` holds the export of this very state of a session (`db.formats.identity.state_of`), by its about.json."""
    return says_it_is(target / ABOUT, format_name, state)


def says_it_is(about: Path, format_name: str, state: str) -> bool:
    """The same, of a file that tells of an export."""
    try:
        said = read_object(about, _ABOUT_MAX)
    except PlaytapeError:
        return False
    return (said.get("format"), said.get("state")) == (format_name, state)
