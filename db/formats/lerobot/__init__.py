"""LeRobot datasets, version 3: out for its training, and in from anybody's whose actions are named as keys and motions.

Source of the facts: the dataset's documentation and code (huggingface/lerobot, `docs/source/lerobot-dataset-v3.mdx`,
`lerobot/datasets`), read in November 2026; `db.formats.lerobot.layout` says what lies where.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from db.errors import BadArgument
from db.formats.format import Asked, Format, Source, Tell
from db.formats.lerobot.layout import INFO
from db.formats.report import Report
from db.formats.sampling import OPTIONS
from db.formats.table import has_parquet
from db.store import Store

if TYPE_CHECKING:
    from db.formats.lerobot.reading import Shelf


class _Reader:
    """Everything else needs pyarrow, which is optional."""

    _shelf: Shelf | None = None

    def find(self, path: Path) -> Iterator[Source]:
        """An episode is a source. path: a dataset's folder, or one with datasets in it, at any depth."""
        if not path.exists():
            raise BadArgument(f"There is no {path}.")
        roots = [path] if (path / INFO).is_file() else sorted(found.parent.parent for found in path.rglob(INFO))
        for root in roots:
            yield from self._open().find(root)

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        return self._open().bring(store, source, asked, tell)

    def _open(self) -> Shelf:
        _need_parquet()
        from db.formats.lerobot.reading import Shelf

        self._shelf = self._shelf or Shelf()
        return self._shelf


class _Writer:
    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        """Makes `out` the dataset of exactly these sessions; see `db.formats.lerobot.writing`."""
        _need_parquet()
        from db.formats.lerobot.writing import write_dataset

        yield from write_dataset(store, session_ids, out, asked, tell)


def _need_parquet() -> None:
    if not has_parquet():
        raise BadArgument("A LeRobot dataset needs pyarrow: pip install pyarrow.")


FORMAT = Format(
    "lerobot",
    "a LeRobot dataset (version 3) of Parquet tables and MP4 videos",
    reads=_Reader(),
    writes=_Writer(),
    marks=(INFO,),
    is_one=True,
    options=OPTIONS,
)
