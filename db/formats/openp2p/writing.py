"""Sessions become open-p2p's folders, at 20 frames a second: a folder each, which appears whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from db.formats.format import Asked, Option, Tell
from db.formats.identity import state_of
from db.formats.keynames import MOUSE_NUMBERS, OPEN_P2P, PAD_BUTTONS
from db.formats.openp2p.encoding import frame_bytes, metadata_bytes
from db.formats.openp2p.messages import Action, Event, Frame, Metadata, Text
from db.formats.outgoing import Outgoing
from db.formats.pictures import pictures
from db.formats.report import Report
from db.formats.sampling import Sampling, sample
from db.formats.staging import is_there, one_by_one, staged, write_about
from db.formats.steadyvideo import write_steady
from db.labelling.labels import LabelKind
from db.recording.actions import ActionTrack
from db.recording.corrections import correct, corrections_of
from db.recording.events import ActorKind, EventArray, EventKind, Origin, outside
from db.recording.keys import name as key_name
from db.store import Store

FORMAT_ID = "open-p2p"
RATE_HZ = 20
OPTIONS = {
    "video": Option("out", "192x192 pixels, full (480 lines), or both videos", choices=("192x192", "full", "both")),
    "annotator": Option(
        "out",
        "the annotator's version beside each instruction (default: playtape); its trainer counts the text of those versions "
        "that it is configured for",
    ),
}
_VIDEOS = {"192x192": (True, False), "full": (False, True), "both": (True, True)}
_TRAINED = frozenset(
    [
        "Space",
        "1",
        "2",
        "3",
        "4",
        "a",
        "d",
        "e",
        "f",
        "q",
        "w",
        "s",
        "z",
        "DownArrow",
        "UpArrow",
        "LeftArrow",
        "RightArrow",
        "LeftShift",
        "RightShift",
    ]
)
"""The keys that its trainer's key map has a class for."""
_MOST_KEYS, _MOST_BUTTONS = 4, 2
_PERSON, _SYSTEM = ActorKind.PERSON.bit | ActorKind.SCRIPT.bit, ActorKind.MODEL.bit
_LINES = 480


class Writer:
    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        def one(session_id: str, tell_one: Tell) -> Report:
            return _write(store, session_id, out / session_id, asked, tell_one)

        return one_by_one(session_ids, one, tell)


def duration_s(frames: int) -> float:
    """The shortest float32 of which int(duration * 20), in double precision, is `frames`, which is at least 1."""
    seconds = np.float32(frames / RATE_HZ)
    if int(float(seconds) * RATE_HZ) < frames:
        seconds = np.nextafter(seconds, np.float32(np.inf))
    return float(seconds)


def _write(store: Store, session_id: str, target: Path, asked: Asked, tell: Tell) -> Report:
    outgoing = Outgoing.read(store, session_id)
    clock = outgoing.recording.clock
    report = Report(session_id, "written", session_id, str(target), dry_run=asked.dry_run)
    report.seconds = clock.duration_ns / 1e9
    ticks = sample(clock, RATE_HZ)
    report.frames = len(ticks)
    state = f"{state_of(store, session_id)} {sorted(asked.options.items())}"
    if is_there(target, FORMAT_ID, state):
        report.outcome = "known"
        return report
    script = _Script.of(outgoing, ticks, asked.options.get("annotator", "playtape"), report)
    if asked.dry_run:
        for _ in script.frames():
            pass
    else:
        with staged(target) as folder:
            with (folder / "annotation.proto").open("wb") as file:
                file.write(metadata_bytes(_metadata(outgoing)))
                file.writelines(map(frame_bytes, script.frames()))
            _write_videos(outgoing, ticks, folder, asked.options.get("video", "192x192"), tell)
            write_about(folder, _about(outgoing, state))
    _note_limits(outgoing, ticks, script.track, report)
    script.settle()
    return report


def _write_videos(outgoing: Outgoing, ticks: Sampling, folder: Path, which: str, tell: Tell) -> None:
    small, full = _VIDEOS[which]
    width, height = outgoing.recording.meta.size_px
    lines = min(_LINES, height // 2 * 2)
    sizes = {"192x192.mp4": (192, 192)} if small else {}
    if full:
        sizes["video.mp4"] = (max(round(width * lines / height / 4) * 4, 4), lines)
    for done, (name, size_px) in enumerate(sizes.items()):
        frames = pictures(outgoing.recording, ticks, lambda share, done=done: tell((done + share) / len(sizes)))  # type: ignore[misc]
        write_steady(folder / name, frames, size_px, RATE_HZ, gop=RATE_HZ)


def _metadata(outgoing: Outgoing) -> Metadata:
    meta = outgoing.recording.meta
    started = meta.anchor.wall_time(int(outgoing.recording.clock.t_ns[0]))
    return Metadata(
        id=meta.id,
        timestamp_s=int(started.timestamp()),
        user=meta.player,
        rate_hz=RATE_HZ,
        env=meta.game,
        group=meta.group_id,
        os=meta.machine.get("system", "")[:200],
        layout=meta.layout,
        title=meta.window.title,
        window_px=meta.window.size_px,
    )


def _about(outgoing: Outgoing, state: str) -> dict[str, object]:
    meta = outgoing.recording.meta
    return {
        "format": FORMAT_ID,
        "state": state,
        "session": meta.id,
        "revision": meta.revision,
        "licence": meta.consent.licence if meta.consent else None,
        "pairing": "annotation i + 1 says what was done from frame i to frame i + 1",
    }


@dataclass
class _Script:
    """The annotations of a session, one after the other. Annotation i + 1 holds interval i."""

    outgoing: Outgoing
    ticks: Sampling
    track: ActionTrack
    events: EventArray
    """Those that a person or program caused, corrected, none from a gap."""
    control: np.ndarray
    """(N,) of the intervals: 0 where nobody's actions are known, 1 the user, 2 the system."""
    texts: dict[int, list[Text]]
    report: Report
    counts: Counter[str] = field(default_factory=Counter)
    _left: dict[EventKind, np.ndarray] = field(default_factory=dict)
    """Fractions of counts and notches that no whole number has said yet."""

    @classmethod
    def of(cls, outgoing: Outgoing, ticks: Sampling, annotator: str, report: Report) -> _Script:
        recording = outgoing.recording
        facts = correct(recording.facts, recording.clock, corrections_of(outgoing.spans))
        events = facts.events[outside(facts.events["t_ns"], facts.gaps) & (facts.events["origin"] == Origin.DEVICE)]
        track = outgoing.resolve(ticks.edges_ns)
        script = cls(outgoing, ticks, track, events, _control(outgoing, track), {}, report)
        script._leave_out()
        script._place_texts(annotator)
        return script

    def frames(self) -> Iterator[Frame]:
        edges = self.ticks.edges_ns
        bounds = np.searchsorted(self.events["t_ns"], edges)
        model = np.array([actor.kind is ActorKind.MODEL for actor in self.outgoing.recording.meta.actors] or [False])
        yield Frame(0)  # its reader never reads it, and nothing is known of the time before the first frame
        for i in range(len(self.ticks) - 1):
            rows = self.events[bounds[i] : bounds[i + 1]]
            frame = Frame(int(edges[i + 1] - edges[0]), texts=self.texts.get(i + 1, []))
            action = self._action(i)
            if self.control[i]:
                frame.events = list(self._inputs(rows, int(edges[0]), model))
                action.delta, action.scroll = self._sum(frame.events, "delta"), self._sum(frame.events, "wheel")
            if self.control[i] == 2:
                frame.system = action
            else:
                frame.user = action
            yield frame
        self.counts["frames"] = len(self.ticks)

    def settle(self) -> None:
        for what, count in self.counts.items():
            self.report.keep(what, count)

    def _leave_out(self) -> None:
        """Notes what no annotation has room for, and what is not to be learnt from."""
        unused = ~self.outgoing.used[self.ticks.frames]
        self.report.change("frames that a person left out: their actions are said to be unknown", int(unused.sum()))
        self.control[unused] = 0
        edges, t_ns = self.ticks.edges_ns, self.events["t_ns"]
        lost = int(((t_ns < edges[0]) | (t_ns >= edges[-2])).sum())
        self.report.drop("inputs before the first frame at 20 Hz, or after the last", lost)
        self.report.drop("the last frame's actions, which no annotation follows", int(self.control[-1] != 0))

    def _place_texts(self, annotator: str) -> None:
        for edit in self.outgoing.spans:
            if edit.kind is not LabelKind.INSTRUCTION:
                continue
            first, last = np.searchsorted(self.ticks.frames, (edit.start or 0, edit.stop or 0)).tolist()
            if first >= min(last, len(self.ticks) - 1):
                self.report.drop("instructions that no frame at 20 Hz shows, or that only the last one does")
                continue
            said = Text(edit.value, annotator, "playtape", duration_s(last - first))
            self.texts.setdefault(first + 1, []).append(said)
            self.counts["instructions"] += 1
        self.report.change(
            "instructions without an embedding: its trainer wants one stored beside", self.counts["instructions"]
        )

    def _action(self, i: int) -> Action:
        action = Action(known=bool(self.control[i]))
        if not action.known:
            return action
        for column in np.flatnonzero(self.track.held[i]).tolist():
            code = self.track.codes[column]
            if code in MOUSE_NUMBERS:
                action.buttons.append(str(MOUSE_NUMBERS[code]))
            elif code in PAD_BUTTONS:
                action.pad.append(PAD_BUTTONS[code])
            else:
                action.keys.append(OPEN_P2P.name(code) or key_name(code))
        return action

    def _inputs(self, rows: EventArray, start_ns: int, model: np.ndarray) -> Iterator[Event]:
        for row in rows:
            kind, t_ns = EventKind(int(row["kind"])), int(row["t_ns"]) - start_ns
            simulated = bool(model[min(int(row["actor"]), len(model) - 1)])
            if kind is EventKind.KEY:
                yield _key_event(int(row["code"]), t_ns, bool(row["value"]), simulated)
                self.counts["presses" if row["value"] else "releases"] += 1
            elif kind in (EventKind.MOTION, EventKind.SCROLL):
                exact = np.array([row["x"], row["y"]]) + self._left.get(kind, 0)
                whole = np.ceil(exact - 0.5)  # a half that is left over stays one, and changes no whole count after it
                self._left[kind] = exact - whole
                if (whole != (row["x"], row["y"])).any():
                    self.report.change("motions and scrolls of fractions: made whole, the sums kept to within one")
                self.counts["mouse motions" if kind is EventKind.MOTION else "scrolls"] += 1
                yield Event(
                    "delta" if kind is EventKind.MOTION else "wheel", t_ns, x=whole[0], y=whole[1], simulated=simulated
                )

    def _sum(self, events: Sequence[Event], kind: str) -> tuple[float, float]:
        own = [event for event in events if event.kind == kind]
        return sum(event.x for event in own), sum(event.y for event in own)


def _key_event(code: int, t_ns: int, pressed: bool, simulated: bool) -> Event:
    if code in MOUSE_NUMBERS:
        return Event("button", t_ns, str(MOUSE_NUMBERS[code]), pressed, simulated=simulated)
    if code in PAD_BUTTONS:
        return Event("pad", t_ns, PAD_BUTTONS[code], pressed, simulated=simulated)
    return Event("key", t_ns, OPEN_P2P.name(code) or key_name(code), pressed, simulated=simulated)


def _control(outgoing: Outgoing, track: ActionTrack) -> np.ndarray:
    """(N,) who acts in each interval: where nobody does, whoever did last."""
    has_model = any(actor.kind is ActorKind.MODEL for actor in outgoing.recording.meta.actors)
    control = np.ones(len(track), np.uint8)
    if has_model:
        acts = np.where(track.actors & _SYSTEM, 2, np.where(track.actors & _PERSON, 1, 0))
        last = np.maximum.accumulate(np.where(acts > 0, np.arange(len(acts)), -1))
        first = acts[np.flatnonzero(acts)[0]] if acts.any() else 1
        control = np.where(last >= 0, acts[last], first).astype(np.uint8)
    control[~track.known] = 0
    return control


def _note_limits(outgoing: Outgoing, ticks: Sampling, track: ActionTrack, report: Report) -> None:
    """What the file holds and its trainer does not read, and what the file cannot hold."""
    for column, code in enumerate(track.codes):
        count = int((track.held[:, column] & track.known).sum())
        if code in MOUSE_NUMBERS or code in PAD_BUTTONS:
            continue
        if OPEN_P2P.name(code) is None:
            report.change(f"{key_name(code)}: it has no name there and stands under ours", count)
        elif OPEN_P2P.name(code) not in _TRAINED:
            report.change(f"{key_name(code)}: in the file, but not among the 19 keys that its trainer reads", count)
    trained = [code for code in track.codes if OPEN_P2P.name(code) in _TRAINED]
    buttons = [code for code in track.codes if code in MOUSE_NUMBERS]
    columns = {code: column for column, code in enumerate(track.codes)}
    many = track.held[:, [columns[code] for code in trained]].sum(axis=1) > _MOST_KEYS
    many |= track.held[:, [columns[code] for code in buttons]].sum(axis=1) > _MOST_BUTTONS
    report.change("frames with more than 4 keys or 2 buttons: its trainer reads the first", int(many.sum()))
    taps = int((track.tapped & track.known[:, None]).sum())
    report.change("keys pressed and released between two frames: as inputs only, which its trainer does not read", taps)
    scripts = track.actors & ActorKind.SCRIPT.bit > 0
    report.change("frames in which a script acted: written as the user's", int((scripts & track.known).sum()))
    both = (track.actors & _PERSON > 0) & (track.actors & _SYSTEM > 0)
    report.change(
        "frames in which a person and a model acted: written as the system's", int((both & track.known).sum())
    )
    report.change("frames that are shown twice, since the recording is slower than 20 Hz", ticks.repeated)
    report.change(
        "frames between those at 20 Hz: their inputs are kept",
        len(outgoing.recording.clock) - len(np.unique(ticks.frames)),
    )
    report.change("frames whose inputs are not known: written so", int((~track.known).sum()))
    outgoing.note_unsaid(report, LabelKind.FLAG, LabelKind.COMMENT)
