"""The tables of a whole LeRobot dataset, written last: a dataset without `meta/info.json` is none, so it appears whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from db.errors import from_os_error
from db.files import replace_text
from db.formats.lerobot import statistics
from db.formats.lerobot.layout import EPISODES, INFO, OWN, STATS, TASKS, features, info, place
from db.formats.lerobot.plan import Plan

_ROWS = 1000


def write_tables(out: Path, plan: Plan, episodes: Sequence[Mapping[str, Any]], own: Mapping[str, Any]) -> None:
    """episodes: of all parts, in order. own: what `meta/playtape.json` says. Raises DiskFull and StoreReadOnly."""
    try:
        (out / place(EPISODES, 0)).parent.mkdir(parents=True, exist_ok=True)
        _write_tasks(out / TASKS, plan.tasks)
        _write_episodes(out / place(EPISODES, 0), episodes)
    except OSError as error:
        raise from_os_error(error, error.filename or out) from None
    replace_text(out / STATS, json.dumps(_add_up(episodes), indent=1))
    replace_text(out / OWN, json.dumps(own, indent=1, ensure_ascii=False))
    frames = sum(episode["length"] for episode in episodes)
    said = info(features(plan.size_px, plan.rate_hz, plan.codes), plan.rate_hz, len(episodes), frames, len(plan.tasks))
    replace_text(out / INFO, json.dumps(said, indent=4, ensure_ascii=False))


def _add_up(episodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in episodes[0]["stats"]:
        parts = [{name: np.array(value) for name, value in episode["stats"][key].items()} for episode in episodes]
        found[key] = {name: value.tolist() for name, value in statistics.add_up(parts).items()}
    return found


def _write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """pandas finds the texts as the index of its frame by what the schema says of them."""

    def column(name: str, kind: str, stored: str) -> dict[str, Any]:
        return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": stored, "metadata": None}

    said = {
        "index_columns": ["task"],
        "column_indexes": [{**column("", "unicode", "object"), "name": None, "field_name": None}],
        "columns": [column("task_index", "int64", "int64"), column("task", "unicode", "object")],
        "creator": {"library": "pyarrow", "version": pyarrow.__version__},
        "pandas_version": "2.2.0",
    }
    numbers = pyarrow.array(range(len(tasks)), pyarrow.int64())
    table = pyarrow.table({"task_index": numbers, "task": pyarrow.array(list(tasks), pyarrow.string())})
    pyarrow.parquet.write_table(table.replace_schema_metadata({"pandas": json.dumps(said)}), path)


def _write_episodes(path: Path, episodes: Sequence[Mapping[str, Any]]) -> None:
    writer: Any = None
    try:
        for first in range(0, len(episodes), _ROWS):
            rows = [_flat(episode) for episode in episodes[first : first + _ROWS]]
            table = pyarrow.Table.from_pylist(rows, schema=writer.schema if writer is not None else None)
            writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, compression="snappy")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _flat(episode: Mapping[str, Any]) -> dict[str, Any]:
    """One row, the statistics as columns `stats/<feature>/<name>`."""
    row = {name: value for name, value in episode.items() if name != "stats"}
    for key, values in episode["stats"].items():
        row |= {f"stats/{key}/{name}": value for name, value in values.items()}
    return row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
