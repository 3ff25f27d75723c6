from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from db.errors import NotFound
from db.formats.interchange import export_session, import_session
from db.labelling.labels import new_id
from db.store import Store
from db.upkeep.leftovers import clear_leftovers, doomed_folder, staging_folder
from recordings import record

IMPORT_UNTIL_KILLED = """
import sys
from pathlib import Path
from db.formats import interchange
from db.store import Store

def wait(staging, manifest):
    print("unpacked", flush=True)
    sys.stdin.read()

interchange._inspect = wait
interchange.import_session(Store.open(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def names(store: Store) -> set[str]:
    return {path.name for path in store.sessions_dir.iterdir()}


def test_a_staging_folder_goes_in_the_end(store: Store) -> None:
    with staging_folder(store.sessions_dir) as folder:
        (folder / "file").write_text("half")
        assert clear_leftovers(store.sessions_dir) == []
        assert (folder / "file").exists()
    assert names(store) == set()


def test_what_was_prepared_may_be_moved_away(store: Store) -> None:
    with staging_folder(store.sessions_dir) as folder:
        folder.rename(store.sessions_dir / "ready")
    assert names(store) == {"ready"}


def test_a_killed_import_is_cleared_at_the_next_launch(store: Store, session_id: str, tmp_path: Path) -> None:
    """And one that is going on is not."""
    archive = export_session(store, session_id, tmp_path)
    store.delete(session_id)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-P", "-c", IMPORT_UNTIL_KILLED, str(store.root), str(archive)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"unpacked\n"
        assert store.recover() == []
        assert len([name for name in names(store) if name.startswith("importing-")]) == 2  # the folder and its lock
        process.kill()
    assert store.recover() == []
    assert names(store) == set()
    assert import_session(store, archive).created


def test_a_killed_deletion_is_finished_at_the_next_launch(store: Store, session_id: str) -> None:
    folder = store.session_folder(session_id)
    folder.rename(doomed_folder(folder))
    assert store.summary(session_id)
    assert store.recover() == []
    assert names(store) == set()
    with pytest.raises(NotFound):
        store.summary(session_id)


def test_two_programs_clear_at_once(store: Store) -> None:
    for _ in range(20):
        folder = doomed_folder(store.sessions_dir / new_id())
        folder.mkdir()
        (folder / "video-000.mkv").write_bytes(b"x")
        (store.sessions_dir / f"importing-{new_id()}").mkdir()
    threads = [threading.Thread(target=clear_leftovers, args=(store.sessions_dir,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clear_leftovers(store.sessions_dir)
    assert names(store) == set()


def test_a_library_keeps_its_sessions(store: Store) -> None:
    kept = record(store)
    assert clear_leftovers(store.sessions_dir) == []
    assert names(store) == {kept}
