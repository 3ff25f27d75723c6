from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import FrameClock
from db.errors import BadArgument, BadFile
from db.labelling.annotations import NAMES, Row, export_annotations, read_csv, rows_of, write_csv, write_json
from db.labelling.labels import Edit, LabelKind, new_id
from db.recording.corrections import MotionCorrection
from recordings import record

CLOCK = FrameClock(5_000_000_000 + np.array([0, 100, 250, 400], np.int64) * 1_000_000, 5_500_000_000)
SESSION = new_id()


def edit(kind: LabelKind, start: int | None, stop: int | None, value: str, **more) -> Edit:
    return Edit(session_id=SESSION, kind=kind, start=start, stop=stop, value=value, author="ann", **more)


def rows(edits: list[Edit], **more) -> list[Row]:
    return list(rows_of(edits, CLOCK, "Maze", "bob", **more))


def test_a_row_has_frames_and_seconds_from_the_first_frame() -> None:
    (row,) = rows([edit(LabelKind.INSTRUCTION, 1, 3, "open the door"), edit(LabelKind.REVIEW, None, None, "labelled")])
    assert (row.session, row.game, row.player, row.kind, row.value) == (
        SESSION,
        "Maze",
        "bob",
        "instruction",
        "open the door",
    )
    assert (row.start, row.stop, row.start_s, row.stop_s) == (1, 3, 0.1, 0.4)
    assert (row.author, row.source, row.suggested) == ("ann", "person", False)
    assert row.at.endswith("+00:00")


def test_only_what_is_in_force_is_exported() -> None:
    first = edit(LabelKind.FLAG, 0, 2, "idle")
    gone = edit(LabelKind.FLAG, 2, 3, "menu")
    log = [first, first.revised("bob", stop=1), gone, gone.revised("bob", deleted=True)]
    log.append(edit(LabelKind.FLAG, 3, 4, "idle", suggested=True, source="run:rules-1"))
    log.append(edit(LabelKind.FLAG, 9, 12, "idle"))
    assert [(r.start, r.stop, r.author) for r in rows(log)] == [(0, 1, "bob")]
    log.append(edit(LabelKind.FLAG, 4, 5, "menu", suggested=True, source="second:eve"))
    assert [r.source for r in rows(log, suggestions=True)] == ["person", "run:rules-1"]


def test_a_span_to_the_end_stops_with_the_recording() -> None:
    (row,) = rows([edit(LabelKind.TRIM, 3, 99, "")])
    assert (row.stop, row.stop_s) == (4, 0.5)


def test_a_correction_is_an_object_in_json() -> None:
    file = io.StringIO()
    said = MotionCorrection(scale=(0.5, 1)).model_dump_json()
    assert write_json(file, rows([edit(LabelKind.ACTION, 0, 1, said)])) == 1
    assert json.loads(file.getvalue())["spans"][0]["value"] == {"kind": "motion", "scale": [0.5, 1.0]}


def test_nothing_is_valid_too() -> None:
    file = io.StringIO()
    assert write_json(file, []) == 0
    assert json.loads(file.getvalue()) == {"format": "playtape-annotations-1", "spans": []}
    file = io.StringIO(newline="")
    assert write_csv(file, []) == 0
    assert file.getvalue().strip() == ",".join(NAMES)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)


@given(st.lists(texts | st.sampled_from(["=1+1", "+1", "-1", "@x", "\tx", "'=1", "''", "'"]), max_size=5))
def test_both_read_back_as_they_were(values) -> None:
    made = rows([edit(LabelKind.INSTRUCTION, 0, 2, value) for value in values])
    table, objects = io.StringIO(newline=""), io.StringIO()
    assert write_csv(table, made) == write_json(objects, made) == len(values)
    table.seek(0)
    assert list(read_csv(table)) == made
    assert [Row(**said) for said in json.loads(objects.getvalue())["spans"]] == made


@given(texts)
def test_no_cell_is_a_formula(value) -> None:
    file = io.StringIO(newline="")
    write_csv(file, list(rows_of([edit(LabelKind.INSTRUCTION, 0, 1, value)], CLOCK, value, value)))
    file.seek(0)
    _, line = csv.reader(file)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line)


@pytest.mark.parametrize(
    "text", ["", "a,b\n", ",".join(NAMES) + "\n1,2\n", ",".join(NAMES) + "\n" + ",".join("x" * 14)]
)
def test_what_is_no_file_of_annotations_is_refused(text) -> None:
    with pytest.raises(BadFile):
        list(read_csv(io.StringIO(text, newline="")))


def test_a_library_is_written_whole_or_not_at_all(store, tmp_path) -> None:
    ids = [record(store) for _ in range(2)]
    for number, session_id in enumerate(ids):
        store.commit([replace_session(edit(LabelKind.INSTRUCTION, 0, 2, f"=go {number}"), session_id)])
    path = tmp_path / "said.csv"
    heard: list[tuple[int, int]] = []
    report = export_annotations(store, [*ids, new_id()], path, progress=lambda *at: heard.append(at))
    assert (report.sessions, report.spans, len(report.problems), heard) == (2, 2, 1, [(1, 3), (2, 3), (3, 3)])
    with path.open(encoding="utf-8", newline="") as file:
        assert [(row.session, row.value) for row in read_csv(file)] == [(ids[0], "=go 0"), (ids[1], "=go 1")]
    before = path.read_bytes()
    assert not export_annotations(store, ids, path, "json", cancelled=lambda: True).is_whole
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix == ".new"] == []
    with pytest.raises(BadArgument, match="There is no folder"):
        export_annotations(store, ids, tmp_path / "nowhere" / "said.csv")


def replace_session(said: Edit, session_id: str) -> Edit:
    return said.model_copy(update={"session_id": session_id})
