"""A session's own facts: its metadata, written from the start, and the layout of its folder.

<id>/session.json        SessionMeta, replaced atomically
<id>/facts.sqlite        frames, events and gaps (db.recording.writer, db.recording.reader)
<id>/video-000.mkv ...   segments of at most ten minutes under one frame index (db.media.video)
<id>/annotations.jsonl   a mirror of the index's edits (db.labelling.edits)
<id>/recording.lock      held by the process that records
"""

from __future__ import annotations

import contextlib
import platform
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from filelock import BaseFileLock, FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.clock import ClockAnchor, StampNs
from db.errors import BadFile, NotFound, TooNew
from db.files import replace_text
from db.labelling.labels import new_id
from db.recording.consent import Consent
from db.recording.events import Actor, ActorKind
from db.recording.profiles import GameProfile
from db.specs import CaptureSpec, SizePx, Spec

FORMAT = 2
META_NAME, FACTS_NAME, MIRROR_NAME, LOCK_NAME = "session.json", "facts.sqlite", "annotations.jsonl", "recording.lock"

FRAME_DTYPE = np.dtype(
    [
        ("segment", np.uint16),
        ("pts", np.int64),
        ("t_before_ns", np.int64),
        ("t_ns", np.int64),
        ("keyframe", np.bool_),
        ("duplicate", np.bool_),
    ]
)
"""A row per frame; the row number is the frame index. `pts` counts milliseconds within the segment."""

FrameRow = tuple[int, int, int, int, bool, bool]
"""One frame in the order of FRAME_DTYPE."""


class SessionState(StrEnum):
    RECORDING = "recording"
    COMPLETE = "complete"
    RECOVERED = "recovered"
    """Cut off and put in order afterwards."""


class WindowSpec(Spec):
    """What was captured: a window, a monitor or a region of the screen as it stood at the start, or an imported video."""

    kind: Annotated[str, Field(pattern="^(window|monitor|region|video)$")] = "window"
    title: str = ""
    window_id: int | None = None
    position_px: tuple[int, int] = (0, 0)
    size_px: SizePx


class Segment(Spec):
    """One video file and the index of its first frame."""

    name: Annotated[str, Field(pattern=r"^video-\d{3,}\.mkv$")]
    first_frame: Annotated[int, Field(ge=0)]


class SessionMeta(BaseModel):
    """Everything about a session that is not a frame, an event or a label. Readers accept every older `format`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] = Field(default_factory=new_id)
    group_id: Annotated[str, Field(pattern=r"^[\w.:-]{1,100}$")]
    revision: int = 1
    game: str
    player: str
    actors: tuple[Actor, ...]
    devices: tuple[str, ...] = ()
    capture: CaptureSpec
    size_px: SizePx
    window: WindowSpec
    anchor: ClockAnchor
    machine: dict[str, str] = Field(default_factory=dict)
    layout: str = ""
    state: SessionState = SessionState.RECORDING
    t_start_ns: StampNs | None = None
    t_stop_ns: StampNs | None = None
    end_reason: str = ""
    segments: tuple[Segment, ...] = ()
    dropped_frames: int = 0
    dropped_events: int = 0
    server_clock: dict[str, int] = Field(default_factory=dict)
    # Since format 2:
    profile: GameProfile | None = None
    """The game's profile as it stood when this was recorded; its limits judge the session."""
    consent: Consent | None = None
    """What the player had agreed to; None where nobody asked (a script, a format before 2)."""
    pointer: dict[str, str] = Field(default_factory=dict)
    """Acceleration settings of the pointer devices, as the system names them."""
    discard_from_ns: StampNs | None = None
    """The player discarded everything from here on; done when the session is entered, and None again then."""
    redact_frames: Annotated[tuple[tuple[int, int], ...], Field(max_length=10_000)] = ()
    """Stretches of frames [start, stop) that are to be destroyed; done when the session is entered, empty again then."""


def new_meta(
    *,
    game: str,
    player: str,
    capture: CaptureSpec,
    window: WindowSpec,
    actors: tuple[Actor, ...] | None = None,
    group_id: str | None = None,
    **more: Any,
) -> SessionMeta:
    """The metadata of a session that starts now. The stored size is the window's, made even as 4:2:0 video needs."""
    width, height = window.size_px
    return SessionMeta(
        game=game,
        player=player,
        capture=capture,
        window=window,
        size_px=(width // 2 * 2, height // 2 * 2),
        actors=actors or (Actor(kind=ActorKind.PERSON, name=player),),
        group_id=group_id or new_id(),
        anchor=ClockAnchor.take(),
        machine={"system": platform.platform(), "python": platform.python_version(), "machine": platform.machine()},
        **more,
    )


def write_meta(folder: Path, meta: SessionMeta) -> None:
    """Replaces `session.json` atomically and durably."""
    replace_text(folder / META_NAME, meta.model_dump_json(indent=2) + "\n")


def read_meta(folder: Path) -> SessionMeta:
    """Raises NotFound, BadFile, or TooNew where a newer Playtape wrote the session."""
    path = folder / META_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"{folder} holds no session: {META_NAME} is missing.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} cannot be read: {error}.") from None
    try:
        written = _Header.model_validate_json(text).format
        if written > FORMAT:
            raise TooNew(
                f"{path} has format {written}, this Playtape reads up to {FORMAT}; update Playtape to open it."
            )
        return SessionMeta.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadFile(f"{path} is damaged at {place}: {first['msg']}.") from None


class _Header(BaseModel):
    format: int


def is_recording(folder: Path) -> bool:
    """Whether a living process holds the session's lock."""
    if not (folder / LOCK_NAME).exists():
        return False
    lock = recording_lock(folder)
    try:
        lock.acquire()
    except TimeoutError:
        return True
    except OSError:
        return False  # not ours to lock, so not ours to wait for: whoever tries to mend the session will be told
    lock.release()
    return False


def release_lock(folder: Path, lock: BaseFileLock) -> None:
    """Frees the lock of a session that nobody will record into again, and takes its file away."""
    lock.release()
    with contextlib.suppress(OSError):  # on Windows another program may be probing it just now
        (folder / LOCK_NAME).unlink()


def recording_lock(folder: Path) -> FileLock:
    """The lock that the recording process holds; the system frees it when that process dies."""
    return FileLock(folder / LOCK_NAME, timeout=0)
