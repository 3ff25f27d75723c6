"""What every part of the open library stands on: where its folders are, and its index for reading and for writing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import Connection

from db.errors import BadArgument, NotFound, StoreReadOnly
from db.files import keep_private, make_folder
from db.library.index import NAME, index_errors, open_index
from db.locations import default_library
from db.upkeep.fence import LEAVING, LOCK, lift_fence
from db.upkeep.pointer import follow

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class LibraryFolder:
    """An open library's folder and its index. Use `db.store.Store`."""

    def __init__(self, root: Path) -> None:
        """Use `open`."""
        self.root = root
        self.sessions_dir, self.datasets_dir = root / "sessions", root / "datasets"
        self.runs_dir, self.models_dir, self.cache_dir = root / "runs", root / "models", root / "cache"
        self._engine = open_index(root)
        self._writer = self._engine.execution_options(writes=True)

    @classmethod
    def open(cls, root: Path | str | None = None, *, create: bool = True) -> Self:
        """Opens the library at `root` (by default `default_library()`), private to its owner when it is made.

        Where it was moved from there, the one in its new folder is opened.

        From then on all files that this process makes, inside and outside of it, are private to their owner. Raises NotFound where it is missing and `create` is false, and the errors of `db.library.index.open_index`.
        """
        folder = follow(Path(root) if root is not None else default_library())
        if not (folder / NAME).exists() and not create:
            if (folder / "sessions").is_dir():
                raise NotFound(f"The index of {folder} is missing; `playtape-db rebuild` makes it from the sessions.")
            raise NotFound(f"There is no Playtape library in {folder}.")
        keep_private()
        try:
            for name in ("", "sessions", "datasets", "runs", "models", "cache"):
                make_folder(folder / name)
        except OSError as error:
            raise StoreReadOnly(f"The library {folder} cannot be made or written to: {error.strerror}.") from None
        opened = cls(folder)
        opened._let_write()
        return opened

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.sessions_dir.iterdir() if path.is_dir() and _ID.fullmatch(path.name))

    def _path(self, session_id: str) -> Path:
        if not _ID.fullmatch(session_id):
            raise BadArgument(f"{session_id!r} is not a session's id.")
        return self.sessions_dir / session_id

    def _let_write(self) -> None:
        """Takes away what keeps people from writing where somebody began to move this library and was killed at it."""
        if not (self.root / LEAVING).exists():
            return
        with suppress(Timeout, OSError), FileLock(self.root / LOCK, timeout=0), self.writing() as connection:
            lift_fence(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction on the index that only looks; for the parts of db alone. Raises what `open` does."""
        with index_errors(self.root / NAME), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction on the index that changes it, committed at the end; for the parts of db alone."""
        with index_errors(self.root / NAME), self._writer.begin() as connection:
            yield connection
