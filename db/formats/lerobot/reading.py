"""Episodes of a LeRobot dataset as sessions: the parts of its action vector that are named as keys and motions come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile
from db.formats.account import Account
from db.formats.acting import list_actors, places_of
from db.formats.arrival import bring_account
from db.formats.format import Asked, Source, Tell
from db.formats.identity import source_id
from db.formats.lerobot.dataset import Dataset, Episode, Rows
from db.formats.lerobot.layout import INFO, parse_name
from db.formats.ownnotes import circumstances, word
from db.formats.report import Report
from db.formats.rowevents import RowEvents, read_pieces
from db.labelling.labels import Edit, LabelKind
from db.recording.events import Gap, InputEvent
from db.recording.keys import name as key_name
from db.store import Store

_MOTIONS = {"REL_X": "dx", "REL_Y": "dy", "REL_HWHEEL": "scroll_x", "REL_WHEEL": "scroll_y"}


class Shelf:
    """Reads datasets; the tables of the latest one are kept, since it has many episodes."""

    def __init__(self) -> None:
        self._latest: tuple[Path, int, Dataset, dict[str, Episode]] | None = None

    def find(self, root: Path) -> Iterator[Source]:
        for episode in self._open(root)[1].values():
            yield Source(root, str(episode.index), episode.length)

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        dataset, episodes = self._open(source.path)
        episode = episodes.get(source.part)
        if episode is None:
            raise BadArgument(f"{source.path} has no episode {source.part}.")
        said = dataset.own.get(episode.index, {})
        game, player = asked.game or word(said, "game"), asked.player or word(said, "player") or "unknown"
        if not game:
            raise BadArgument(
                f"Nothing says which game {source.path} shows; name it with --game, or in the field Game."
            )
        report = Report(source.name, "imported", path=str(source.path))
        account = read_account(dataset, episode, Asked(game, player), report)
        for other in dataset.others:
            report.drop(f"the feature {other[:100]}", 1)
        return bring_account(store, account, source, asked, tell, report)

    def _open(self, root: Path) -> tuple[Dataset, dict[str, Episode]]:
        """A dataset and its episodes by their numbers."""
        try:
            stamp = (root / INFO).stat().st_mtime_ns
        except OSError:
            raise BadArgument(f"{root} is not a LeRobot dataset: it has no {INFO}.") from None
        if self._latest is None or self._latest[:2] != (root, stamp):
            dataset = Dataset.read(root)
            self._latest = root, stamp, dataset, {str(episode.index): episode for episode in dataset.episodes()}
        return self._latest[2:]


def read_account(dataset: Dataset, episode: Episode, asked: Asked, report: Report) -> Account:
    """What a dataset tells of an episode. Raises BadFile with the place."""
    said, root = dataset.own.get(episode.index, {}), dataset.root
    course = dataset.course(episode)
    return _Episode(
        session_id=source_id("lerobot", [root / INFO], [episode.data, episode.video], str(episode.index)),
        video=episode.video,
        game=asked.game,
        player=asked.player,
        cut=(episode.from_s, episode.to_s),
        told_in=str(episode.data),
        offsets_ns=course.offsets_ns,
        **{"title": f"{root.name}, episode {episode.index}"} | circumstances(said),
        dataset=dataset,
        episode=episode,
        places=_places(dataset.names, episode.data, report),
        tasks=course.tasks,
        actors=list_actors(course.acted, asked.player, said.get("actors")),
    )


def _places(names: Sequence[str], path: Path, report: Report) -> dict[str, int]:
    """Where an action vector says what of keys and the mouse: names of columns as `RowEvents` has them."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        meant = parse_name(name)
        if meant is None:
            report.drop(f"the action {name or place!r}, which names no key and no motion")
            continue
        column = key_name(meant) if isinstance(meant, int) else _MOTIONS[meant]
        if column in places:
            raise BadFile(f"{path}: a part of the action vector is named twice.")
        places[column] = place
    return places


@dataclass(kw_only=True)
class _Episode(Account):
    dataset: Dataset
    episode: Episode
    places: dict[str, int]
    """Empty where the actions say nothing of keys and the mouse."""
    tasks: list[tuple[int, int, int]]
    """Stretches [start, stop) of frames with the number of their task."""

    def gaps(self, edges_ns: Int64) -> Iterable[Gap]:
        return [] if self.places else super().gaps(edges_ns)

    def events(self, edges_ns: Int64) -> Iterator[Sequence[InputEvent]]:
        if self.places:
            yield from read_pieces(self._pieces(), edges_ns, np.ones(len(edges_ns) - 1, np.bool_))

    def _pieces(self) -> Iterator[RowEvents]:
        before = frozenset[int]()
        for rows in self.dataset.pieces(self.episode):
            piece = RowEvents.of(self._columns(rows), ".presses", self.episode.data, before=before)
            before = piece.after
            yield replace(piece, actors=places_of(rows.actors, self.actors))

    def _columns(self, rows: Rows) -> dict[str, np.ndarray]:
        told = {name: rows.actions[:, place].astype(np.float64) for name, place in self.places.items()}
        return {name: told[name] if name in _MOTIONS.values() else told[name] > 0.5 for name in told}

    def labels(self) -> Iterator[Edit]:
        for start, stop, number in self.tasks:
            if self.dataset.tasks[number].strip():
                yield self.label(LabelKind.INSTRUCTION, start, stop, self.dataset.tasks[number])
