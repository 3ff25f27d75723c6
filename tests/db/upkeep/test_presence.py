from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.labelling.labels import new_id
from db.upkeep.presence import STALE_S, Presence, Present, open_sessions


def test_those_who_have_a_session_open_see_each_other(tmp_path: Path) -> None:
    first, second, session_id = Presence(tmp_path, "ann"), Presence(tmp_path, "bob"), new_id()
    assert first.others() == []
    first.enter(session_id)
    assert first.others() == []
    second.enter(session_id)
    assert [present.person for present in first.others()] == ["bob"]
    assert [present.person for present in second.others()] == ["ann"]
    assert [present.person for present in open_sessions(tmp_path)[session_id]] == ["ann", "bob"]
    second.enter(new_id())
    assert first.others() == []
    first.leave()
    second.leave()
    assert open_sessions(tmp_path) == {}


def enter_killed(cache_dir: Path, session_id: str) -> None:
    """As eve, in a process that is killed then."""
    script = "import os, sys; from pathlib import Path; from db.upkeep.presence import Presence\n"
    script += "Presence(Path(sys.argv[1]), 'eve').enter(sys.argv[2]); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script, str(cache_dir), session_id], check=False)


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="processes are looked up in /proc")
def test_who_was_killed_on_this_machine_is_gone_at_once(tmp_path: Path) -> None:
    session_id = new_id()
    enter_killed(tmp_path, session_id)
    mine = Presence(tmp_path, "ann")
    mine.enter(session_id)
    assert len(list((tmp_path / "presence" / session_id).iterdir())) == 2
    assert mine.others() == []
    assert [present.person for present in open_sessions(tmp_path)[session_id]] == ["ann"]
    assert len(list((tmp_path / "presence" / session_id).iterdir())) == 1


def test_who_was_killed_elsewhere_is_gone_after_a_while(tmp_path: Path) -> None:
    session_id = new_id()
    enter_killed(tmp_path, session_id)
    (killed,) = (tmp_path / "presence" / session_id).iterdir()
    killed.write_text(json.dumps(json.loads(killed.read_text()) | {"among": "another boot pid:[1]"}))
    mine = Presence(tmp_path, "ann")
    mine.enter(session_id)
    (other,) = [path for path in (tmp_path / "presence" / session_id).iterdir() if b"eve" in path.read_bytes()]
    assert [present.person for present in mine.others()] == ["eve"]
    long_ago = other.stat().st_mtime - STALE_S - 1
    os.utime(other, (long_ago, long_ago))
    assert mine.others() == []
    assert not other.exists()
    assert [present.person for present in open_sessions(tmp_path)[session_id]] == ["ann"]


def test_what_is_no_presence_is_passed_over_and_a_cleared_cache_is_made_again(tmp_path: Path) -> None:
    session_id = new_id()
    mine = Presence(tmp_path, "ann")
    mine.enter(session_id)
    folder = tmp_path / "presence" / session_id
    (folder / "junk").write_bytes(b"\xff{")
    (folder / "list").write_text("[]")
    assert mine.others() == []
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert mine.others() == []
    mine.beat()
    (present,) = open_sessions(tmp_path)[session_id]
    assert isinstance(present, Present)
