"""The user's world as typed errors: each message is one sentence that says what happened and what to do.

A bug is an assertion or a built-in exception; these classes are for what a user can meet and act on.
"""

from __future__ import annotations

import errno
from pathlib import Path


class PlaytapeError(Exception):
    """Base of every error a command prints as one sentence, with exit status 1."""


class BadArgument(PlaytapeError):
    """A command line or a setting asks for something impossible."""


class BadFile(PlaytapeError):
    """A file is missing, truncated, corrupt or not what its name says."""


class TooNew(PlaytapeError):
    """A file or library was written by a newer Playtape; nothing was changed."""


class StoreLocked(PlaytapeError):
    """Another process holds the library or a session for writing."""


class StoreReadOnly(PlaytapeError):
    """The library cannot be written to."""


class DiskFull(PlaytapeError):
    """There is no room left; what was committed before is intact."""


class NotFound(PlaytapeError):
    """No such session, dataset, run, model or window."""


class Withdrawn(PlaytapeError):
    """A session was taken back by its player."""


class Conflict(PlaytapeError):
    """An edit was made against a version that somebody else has replaced since."""


class CaptureUnavailable(PlaytapeError):
    """The screen or the inputs cannot be read on this machine, with the reason."""


class WindowLost(PlaytapeError):
    """The captured window was closed, hidden or resized."""


class NothingRecorded(PlaytapeError):
    """A recording was stopped before its first frame, or all of it was discarded."""


class EncoderFailed(PlaytapeError):
    """No encoder accepted the frames."""


class WireError(PlaytapeError):
    """The peer of a local connection is absent, of another version, or spoke out of turn."""


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def from_os_error(error: OSError, path: Path | str) -> PlaytapeError:
    """What an OSError at `path` means to a user: DiskFull, StoreReadOnly, or BadFile for everything else."""
    if error.errno in _NO_ROOM:
        return DiskFull(f"There is no room left for {path}; what was stored before is intact. Free some and try again.")
    if error.errno in _NOT_ALLOWED:
        return StoreReadOnly(f"{path} cannot be written to ({error.strerror}); check its owner and permissions.")
    return BadFile(f"{path} cannot be read or written: {error.strerror or error}.")
