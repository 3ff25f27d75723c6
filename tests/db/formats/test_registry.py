"""What holds for every format: dry runs write nothing, refusals leave nothing, and the commands name them all."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from db.__main__ import main
from db.errors import BadArgument
from db.formats.format import Asked
from db.formats.registry import FORMATS, check_options, find_format
from db.formats.report import MOST_REASONS, Report, so_far, totals
from db.formats.transfer import bring_in, write_out
from db.store import Store
from recordings import Take, record

READ = [name for name, kind in FORMATS.items() if kind.reads]
WRITTEN = [name for name, kind in FORMATS.items() if kind.writes]
BOTH = [name for name in READ if name in WRITTEN]


def everything(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "index.sqlite" not in path.name)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_dry_run_of_an_export_says_it_all_and_writes_nothing(store, tmp_path, name):
    session_id, out = record(store), tmp_path / "out"
    foreseen = list(write_out(store, FORMATS[name], [session_id], out, Asked(dry_run=True)))
    assert not out.exists()
    done = list(write_out(store, FORMATS[name], [session_id], out, Asked()))
    assert [(r.outcome, r.kept, r.changed, r.dropped) for r in foreseen] == [
        (r.outcome, r.kept, r.changed, r.dropped) for r in done
    ]
    assert done[0].kept["frames"] > 0
    assert everything(out)
    assert not list(out.rglob(".*.new"))


@pytest.mark.parametrize("name", BOTH)
def test_what_was_written_comes_in_once_and_a_dry_run_foresees_it(store, tmp_path, name):
    session_id, out = record(store), tmp_path / "out"
    list(write_out(store, FORMATS[name], [session_id], out, Asked()))
    with Store.open(tmp_path / "other") as other:
        before = everything(other.root)
        asked = {"game": "testgame", "player": "ann"}
        foreseen = list(bring_in(other, FORMATS[name], [out], Asked(**asked, dry_run=True)))
        assert everything(other.root) == before
        done = list(bring_in(other, FORMATS[name], [out], Asked(**asked)))
        assert [(r.outcome, r.session_id) for r in foreseen] == [(r.outcome, r.session_id) for r in done]
        assert done[0].outcome == "imported"
        again = list(bring_in(other, FORMATS[name], [out], Asked(**asked)))
        assert [r.outcome for r in again] in (["known"], ["merged"])
        assert [line.id for line in other.search()] == [done[0].session_id]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_cancelled_export_leaves_nothing(store, tmp_path, name):
    session_id, out = record(store, Take(count=600)), tmp_path / "out"

    def cancel(what: str, share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(write_out(store, FORMATS[name], [session_id], out, Asked(), cancel))
    assert everything(out) == []


@pytest.mark.parametrize("name", READ)
def test_junk_and_nothing_are_refused_and_leave_nothing(store, tmp_path, name):
    (tmp_path / "empty").mkdir()
    junk = tmp_path / f"junk{(FORMATS[name].endings or ('.dat',))[0]}"
    junk.write_bytes(bytes(range(256)) * 40)
    before = everything(store.root)
    paths = [tmp_path / "empty", junk, tmp_path / "missing"]
    for asked in (Asked("doom", "ann"), Asked("doom", "ann", dry_run=True)):
        reports = list(bring_in(store, FORMATS[name], paths, asked))
        assert [report.outcome for report in reports] == ["refused"] * 3
        for path, report in zip(paths, reports, strict=True):
            assert str(path) in report.error
    assert everything(store.root) == before
    assert store.search() == []


def test_names_and_options_that_are_not_there_are_refused():
    with pytest.raises(BadArgument, match="playtape"):
        find_format("betamax")
    with pytest.raises(BadArgument, match="colour"):
        check_options(FORMATS["video"], {"colour": "red"}, "in")
    with pytest.raises(BadArgument, match="it has none"):
        check_options(FORMATS["lerobot"], {"rate": "20"}, "in")
    with pytest.raises(BadArgument, match="192x192 or full or both"):
        check_options(FORMATS["open-p2p"], {"video": "large"}, "out")
    check_options(FORMATS["lerobot"], {"rate": "20"}, "out")


def test_the_commands_list_the_formats_and_write_the_report(store, tmp_path, capsys):
    session_id, out, file = record(store), tmp_path / "out", tmp_path / "report.json"
    for command, names in (("import", READ), ("export", WRITTEN)):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = capsys.readouterr().out
        for name in names:
            assert f"  {name} " in shown
    words = ["--library", str(store.root), "--format", "frames", "--out", str(out), "--report", str(file)]
    assert main(["export", *words]) == 1
    assert "--all" in capsys.readouterr().err
    assert main(["export", *words, "--game", "testgame", "--dry-run"]) == 0
    assert "would be written" in capsys.readouterr().out
    assert json.loads(file.read_text())["of"][0]["session_id"] == session_id
    assert main(["export", *words, "--all"]) == 0
    assert json.loads(file.read_text())["outcomes"] == {"written": 1}
    assert main(["export", *words, "--all"]) == 0
    assert json.loads(file.read_text())["outcomes"] == {"known": 1}


def test_reasons_without_end_are_counted_together():
    report = Report("a", "imported")
    for number in range(10 * MOST_REASONS):
        report.drop(f"reason {number}")
    assert len(report.dropped) <= MOST_REASONS + 1
    assert report.dropped.total() == 10 * MOST_REASONS
    assert totals([report, report])["outcomes"] == {"imported": 2}


def test_how_many_of_each_there_were():
    assert so_far(Counter({"known": 1200, "refused": 1}), "in", dry_run=False) == "1,200 here already, 1 refused"
    assert so_far(Counter({"written": 2}), "out", dry_run=True) == "2 would be written"


def test_what_is_kept_is_told_in_one_order():
    report = Report("a", "imported")
    for what in ("presses", "mouse motions", "frames"):
        report.keep(what, 2)
    assert report.lines() == ["kept: 2 frames, 2 mouse motions, 2 presses"]
