"""What came of an import or export, in words: also where there is very much of it, or where it ended early."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from annotator.model.library.transfers import MOST_ROWS, Carried, as_text, carry, report_rows, summary
from db.errors import DiskFull
from db.formats.report import Report


def reports(tell: Callable[[str, float], None], count: int = 3, full_at: int = -1) -> Iterator[Report]:
    for number in range(count):
        tell(f"/in/{number}", number / count)
        if number == full_at:
            raise DiskFull("There is no room left.")
        report = Report(f"/in/{number}", "refused" if number % 2 else "imported")
        report.error = f"/in/{number} is damaged." if number % 2 else ""
        report.keep("frames", number + 1)
        report.drop("comments", 2)
        yield report


def test_what_ends_all_of_it_is_told_beside_what_was_finished() -> None:
    carried, heard = Carried("in", "frames", dry_run=False), []
    carry(carried, lambda tell: reports(tell, full_at=2), lambda what, share: None, heard.append, lambda: False)
    assert len(heard) == len(carried.reports) == 2
    told = summary(carried)
    assert told == "There is no room left. 1 new session imported. 1 recording could not be imported."


def test_who_cancels_is_told_so_and_nothing_more_is_begun() -> None:
    carried, heard = Carried("in", "frames", dry_run=True), []
    carry(carried, reports, lambda what, share: None, heard.append, lambda: len(heard) == 1)
    assert summary(carried) == "1 new session would be imported. Cancelled."
    assert summary(Carried("out", "frames", dry_run=False)) == "There is nothing to export."


def test_the_rows_sum_up_and_say_how_many_are_not_shown() -> None:
    count = MOST_ROWS * 4
    carried = Carried("in", "frames", dry_run=False)
    carry(carried, lambda tell: reports(tell, count), lambda what, share: None, lambda report: None, lambda: False)
    rows = {row.text: row for row in report_rows(carried)}
    assert list(rows) == ["Refused", "Kept", "Dropped", "Recordings"]
    assert [(row.text, row.figure) for row in rows["Kept"].rows] == [("frames", f"{count * (count + 1) // 2:,}")]
    assert rows["Recordings"].figure == f"{count:,}"
    assert len(rows["Recordings"].rows) == MOST_ROWS + 1
    assert rows["Recordings"].rows[-1].text == f"and {count - MOST_ROWS:,} more; a saved report has all"
    assert rows["Recordings"].rows[1].text == "/in/1"
    assert (
        as_text(rows["Recordings"].rows[1:2])
        == "/in/1\trefused\n  /in/1 is damaged.\n  kept: frames\t2\n  dropped: comments\t2"
    )


def test_what_is_refused_for_one_reason_is_told_once() -> None:
    carried = Carried("in", "lerobot", dry_run=False)
    carried.reports = [Report(f"d#{i}", "refused", error="d names no game.") for i in range(1200)]
    carried.reports.append(Report("e", "refused", error="e is damaged."))
    refused, each = report_rows(carried)
    assert (refused.text, refused.figure) == ("Refused", "1,201")
    assert [(row.text, row.figure) for row in refused.rows] == [("d names no game.", "1,200"), ("e is damaged.", "")]
    assert (each.text, each.figure) == ("Recordings", "1,201")
