"""What models answered, kept by the content of the question, so that what was stopped goes on where it stopped.

`cache/vision/<session>-r<revision>-<hash>.json`: everything made of a session goes with it, and with what is redacted.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from annotator.vision.request import Request
from annotator.vision.setup import VisionSetup
from db.errors import PlaytapeError
from db.files import make_folder, replace_text

FOLDER = "vision"
_MOST_BYTES = 2**21


class Answers:
    """Of one session to one model."""

    def __init__(self, cache_dir: Path, session_id: str, revision: int, setup: VisionSetup) -> None:
        self._folder = cache_dir / FOLDER
        self._name = f"{session_id}-r{revision}"
        self._whom = f"{setup.place} {setup.base_url} {setup.model}"

    def find(self, request: Request) -> str | None:
        """The answer to this very question, None where it was never given."""
        path = self._path(request)
        with contextlib.suppress(OSError, ValueError):
            if path.stat().st_size <= _MOST_BYTES:
                kept = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(kept, dict) and isinstance(kept.get("answer"), str):
                    return str(kept["answer"])
        return None

    def keep(self, request: Request, answer: str) -> None:
        """Where there is no room for it, it is not kept: it was answered all the same."""
        with contextlib.suppress(PlaytapeError, OSError):
            make_folder(self._folder)
            replace_text(self._path(request), json.dumps({"answer": answer}) + "\n")

    def _path(self, request: Request) -> Path:
        return self._folder / f"{self._name}-{request.digest(self._whom)[:40]}.json"
