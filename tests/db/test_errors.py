from __future__ import annotations

import errno

import pytest

from db.errors import BadFile, DiskFull, PlaytapeError, StoreReadOnly, from_os_error


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EFBIG, DiskFull), (errno.EACCES, StoreReadOnly),
        (errno.EROFS, StoreReadOnly), (errno.ENOENT, BadFile), (errno.EIO, BadFile),
    ],
)  # fmt: skip
def test_system_errors_become_sentences(number: int, kind: type[PlaytapeError]) -> None:
    error = from_os_error(OSError(number, "what the system says"), "/some/file")
    assert type(error) is kind
    assert "/some/file" in str(error)
    assert str(error).endswith(".")
    assert "\n" not in str(error)
