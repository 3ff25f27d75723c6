"""Makes the proxy of one session: a process of its own, so that nothing that is shown waits for it.

Run as ``python -m annotator.proxy_maker LIBRARY SESSION``. Each line that it reads is the frame that somebody looks at; each
that it says is JSON: frames done, in all, and the seconds that it will probably still take (null at first). It ends when
its input does, and may be killed at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from annotator.model.video.proxy import Proxy
from annotator.model.video.proxy_writer import ProxyWriter
from db.errors import PlaytapeError
from db.files import keep_private
from db.recording.reader import Recording
from db.settings import read_settings

_TELL_S = 0.25
_LOOK_S = 1.0
_NICE = 10


class _Eyes(threading.Thread):
    """Reads from the standard input where somebody looks, and ends the process with it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.frame = 0

    def run(self) -> None:
        for line in sys.stdin:
            with contextlib.suppress(ValueError):
                self.frame = max(int(line), 0)
        os._exit(0)  # nobody is there any more; a file that is not whole has no name yet


class _Voice:
    """Says how far it is, a few times a second."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began_s = self._told_s = time.monotonic()
        self._first: int | None = None

    def tell(self, done: int, *, now: bool = False) -> None:
        at_s = time.monotonic()
        if self._first is None:
            self._first, now = done, True
        if now or at_s - self._told_s >= _TELL_S:
            self._told_s = at_s
            gained, taken_s = done - self._first, at_s - self._began_s
            left_s = taken_s / gained * (self._total - done) if gained > 0 and taken_s > 1 else None
            print(json.dumps({"done": done, "total": self._total, "left_s": left_s}), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all of it is there, 1 with a sentence where it cannot be made."""
    root, session_id = (sys.argv[1:] if argv is None else list(argv))[:2]
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICE)
    keep_private()
    eyes = _Eyes()
    eyes.start()
    try:
        return _make(Path(root), session_id, eyes)
    except (PlaytapeError, OSError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1


def _make(root: Path, session_id: str, eyes: _Eyes) -> int:
    recording = Recording(root / "sessions" / session_id)
    proxy = Proxy(root / "cache", recording)
    voice = _Voice(proxy.frame_count)
    proxy.folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(proxy.folder.parent / f"{proxy.folder.name}.lock", timeout=_LOOK_S)
    while not proxy.is_whole:
        try:
            with lock:
                writer = ProxyWriter(proxy, recording, root, read_settings(root).cache_quota_bytes)
                for done in writer.write(lambda: eyes.frame):
                    voice.tell(done)
                break
        except Timeout:  # another program makes it
            proxy.refresh()
            voice.tell(proxy.frames_done)
    voice.tell(proxy.frames_done, now=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
