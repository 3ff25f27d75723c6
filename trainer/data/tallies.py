"""Tallies of sessions, kept in `cache/tallies/`, so that counts are there at once while somebody chooses.

A file's name says what it counts: the session, its revision, and a digest of its labels, of the clip and of the masks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from db.errors import PlaytapeError
from db.files import replace_text
from db.library.catalogue import SessionSummary
from db.specs import ClipSpec
from db.store import Store
from trainer.data.balance import Tally
from trainer.data.choice import Choice
from trainer.data.dataset import describe

_VERSION = 1
"""Of what is counted and how."""
_KEPT = 6
"""Tallies of one session: as several choices see it."""


def tally_of(store: Store, summary: SessionSummary, clip: ClipSpec, choice: Choice) -> Tally:
    """What is counted of a session as it is now. Raises NotFound, BadFile, TooNew."""
    path = _path(store, summary, clip, choice)
    try:
        return Tally.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        tally = describe(store, summary.id, clip, choice).tally()
        with contextlib.suppress(OSError, PlaytapeError):  # what cannot be kept is counted again
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(path, tally.model_dump_json())
            _keep_newest(path.parent, summary.id)
        return tally


def _keep_newest(folder: Path, session_id: str) -> None:
    """Every change of a label makes a new file; the old ones go."""
    files = sorted(folder.glob(f"{session_id}-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT:]:
        path.unlink(missing_ok=True)


def _path(store: Store, summary: SessionSummary, clip: ClipSpec, choice: Choice) -> Path:
    labels = [edit.id for edit in store.edits(summary.id)]
    facts = [_VERSION, clip.model_dump(mode="json"), choice.flags_out, labels]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]
    return store.cache_dir / "tallies" / f"{summary.id}-r{summary.revision}-{digest}.json"
