"""The measurements of kills and of races in small: nothing that was accepted is lost."""

from __future__ import annotations

from bench import editkill, editrace


def test_killed_while_editing_again_and_again() -> None:
    found = editkill.measure(kills=4)
    assert found["edits committed and told"] > 0
    assert found["committed edits lost"] == found["steps found in part"] == found["libraries damaged"] == 0
    assert found["sessions that do not verify"] == 0
    assert found["undone and redone after a kill"] == 4


def test_two_processes_edit_one_session_at_once() -> None:
    found = editrace.measure(seconds=2.0)
    assert all(count > 0 for count in found["edits accepted"].values())
    assert found["accepted edits lost"] == found["superseded twice"] == found["superseded by an earlier one"] == 0
    assert found["labels with competing versions"] == 0
    assert found["both show the same"]
    assert found["and what the log says"]
    assert found["the mirror says it too"]
