"""Episodes of a LeRobot dataset as sessions: the parts of its action vector that are named as keys and motions come in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile
from db.formats.account import Account, bring_account
from db.formats.format import Asked, Source, Tell
from db.formats.identity import group_of, source_id
from db.formats.lerobot.dataset import Dataset, Episode
from db.formats.lerobot.layout import INFO, parse_name
from db.formats.report import Report
from db.formats.rowevents import RowEvents
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
        game, player = asked.game or _word(said, "game"), asked.player or _word(said, "player") or "unknown"
        if not game:
            raise BadArgument(
                f"Nothing says which game {source.path} shows; name it with --game, or in the field Game."
            )
        info = source.path / INFO
        rows = dataset.rows(episode)
        report = Report(source.name, "imported", path=str(source.path))
        account = _Episode(
            session_id=source_id("lerobot", [info], [episode.data, episode.video], source.part),
            video=episode.video,
            game=game,
            player=player,
            cut=(episode.from_s, episode.to_s),
            told_in=str(episode.data),
            offsets_ns=np.round(rows.seconds * 1e9).astype(np.int64),
            wall_ns=_wall_ns(said),
            group_id=group_of(said.get("group")),
            title=f"{source.path.name}, episode {episode.index}",
            told=_Told.of(dataset.names, rows.actions, episode.data, report),
            texts=dataset.tasks,
            numbers=rows.tasks,
        )
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


@dataclass(frozen=True)
class _Told:
    """What an action vector says of keys and the mouse; None where it says nothing of either."""

    events: RowEvents | None

    @classmethod
    def of(cls, names: Sequence[str], actions: np.ndarray, path: Path, report: Report) -> _Told:
        columns: dict[str, np.ndarray] = {}
        for place, name in enumerate(names):
            meant = parse_name(name)
            if meant is None:
                report.drop(f"the action {name or place!r}, which names no key and no motion")
            elif isinstance(meant, int):
                columns[key_name(meant)] = actions[:, place] > 0.5
            else:
                columns[_MOTIONS[meant]] = actions[:, place].astype(np.float64)
        if len(columns) < len(names) - sum(parse_name(name) is None for name in names):
            raise BadFile(f"{path}: a part of the action vector is named twice.")
        return cls(RowEvents.of(columns, ".presses", path) if columns else None)


@dataclass(kw_only=True)
class _Episode(Account):
    told: _Told
    texts: Sequence[str]
    numbers: Int64
    """(N,) of the texts."""

    def gaps(self, edges_ns: Int64) -> Iterable[Gap]:
        return [] if self.told.events else super().gaps(edges_ns)

    def events(self, edges_ns: Int64) -> Iterator[Sequence[InputEvent]]:
        if self.told.events:
            yield from self.told.events.read(edges_ns, np.ones(len(edges_ns) - 1, np.bool_))

    def labels(self) -> Iterator[Edit]:
        cuts = [0, *(np.flatnonzero(np.diff(self.numbers)) + 1).tolist(), len(self.numbers)]
        for start, stop in itertools.pairwise(cuts):
            number = int(self.numbers[start])
            text = self.texts[number] if 0 <= number < len(self.texts) else ""
            if text.strip():
                yield self.label(LabelKind.INSTRUCTION, start, stop, text)


def _word(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value[:200] if isinstance(value, str) else ""


def _wall_ns(said: dict[str, Any]) -> int | None:
    try:
        return int(min(max(datetime.fromisoformat(_word(said, "started_at")).timestamp(), 0), 2**32) * 1e9)
    except (ValueError, OverflowError):
        return None
