"""A video and what somebody tells of its frames: the way on which most recordings of other tools become sessions.

`db.formats.arrival` makes a session of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from db.clock import Int64
from db.errors import NotFound
from db.formats.footage import Cut
from db.formats.format import Asked, Source
from db.formats.identity import label_id
from db.formats.report import Report
from db.labelling.labels import Edit, LabelKind
from db.recording.events import Actor, Gap, GapReason, InputEvent
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn

START_NS = 1_000_000_000
"""The stamp of a video's first frame; only differences mean anything."""
STEP_NS = 1_000_000
"""By so much a frame follows the one before where it is told to have the same time, or an earlier one."""
MOST_LABELS = 100_000


@dataclass(kw_only=True)
class Account:
    """What a source tells of one session. This one tells nothing of its inputs; a format's own overrides the methods."""

    session_id: str
    """From `db.formats.identity`."""
    video: Path
    game: str
    player: str
    cut: Cut | None = None
    """The part of the video that it is about."""
    told_in: str = ""
    """The file that tells, for errors."""
    offsets_ns: Int64 | None = None
    """(N,) ascending, from 0: when each frame was shown after the first one. None: as the video says."""
    lasts_ns: int = 0
    """From the first frame to when the last one ended, where it is told; else that one lasts as long as others do."""
    is_loose: bool = False
    """Whether the video may have other than N frames, as some tools write them: the inputs of those beyond are not known, and
    what is told of frames that are not there is dropped. Else that is an error."""
    actors: tuple[Actor, ...] = ()
    """By default the player."""
    wall_ns: int | None = None
    """When the first frame was shown, if the video does not say it right."""
    title: str = ""
    """Of the window; by default the video's name."""
    group_id: str = ""
    """The sitting that it belongs to; by default one of its own."""
    layout: str = ""
    """Of the keyboard."""
    machine: dict[str, str] = field(default_factory=dict)
    """What is known of the machine that it was recorded on."""

    def gaps(self, edges_ns: Int64) -> Iterable[Gap]:
        """Stretches whose inputs are not known. edges_ns: (N + 1,) the frames' stamps and the stop."""
        return [Gap(int(edges_ns[0]), int(edges_ns[-1]), GapReason.UNRECORDED)]

    def events(self, edges_ns: Int64) -> Iterator[Sequence[InputEvent]]:
        """In order of time, some thousands at once. Those outside the edges are dropped."""
        return iter(())

    def labels(self) -> Iterator[Edit]:
        """Spans of frames; see `label`."""
        return iter(())

    def label(self, kind: LabelKind, start: int, stop: int, value: str = "", **more: object) -> Edit:
        """A label of frames [start, stop) that came in. Its ids follow from the source too: brought into two libraries, it is one."""
        said = f"{self.session_id} {kind.value} {start} {stop} {value}"
        fields: dict[str, object] = {"id": label_id(f"edit {said}"), "entity_id": label_id(f"entity {said}")}
        fields |= {"author": self.player, "source": "import"} | more
        return Edit.model_validate(
            {"session_id": self.session_id, "kind": kind, "start": start, "stop": stop, "value": value} | fields
        )


def known(store: Store, session_id: str, source: Source, asked: Asked) -> Report | None:
    """The report on a source that the library has already. Raises Withdrawn where it was taken back."""
    refuse_withdrawn(store, session_id)
    if not (store.sessions_dir / session_id).is_dir():
        return None
    try:
        summary = store.summary(session_id)
    except NotFound:  # another program brought it in, and has not entered it yet
        summary = store.enter(session_id)
    report = Report(source.name, "known", session_id, str(source.path), summary.frames, summary.duration_s)
    wanted = (("game", asked.game, summary.game), ("player", asked.player, summary.player))
    stays = [f"{name} {has}" for name, want, has in wanted if want not in ("", has)]
    if stays:
        report.says = f"here already, with the {' and the '.join(stays)}"
    return report
