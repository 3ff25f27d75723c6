from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from db.store import Store
from recordings import Take, record

settings.register_profile("playtape", deadline=None, max_examples=40)
settings.load_profile("playtape")


@pytest.fixture(scope="session")
def recorded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good session of a second, recorded once; tests get copies."""
    folder = tmp_path_factory.mktemp("recorded") / "session"
    Take().write(folder)
    return folder


@pytest.fixture
def session_folder(tmp_path: Path, recorded_folder: Path) -> Path:
    """A good session's folder outside of any library."""
    return Path(shutil.copytree(recorded_folder, tmp_path / "session"))


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "library"
    Store.open(folder).close()
    return folder


@pytest.fixture
def store(tmp_path: Path, empty_library: Path) -> Iterator[Store]:
    with Store.open(shutil.copytree(empty_library, tmp_path / "library")) as opened:
        yield opened


@pytest.fixture
def session_id(store: Store) -> str:
    """A good session of a second in the library."""
    return record(store)
