"""Keeps freed memory in the process: a training step frees and takes the same large blocks again."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8


def keep_freed_memory() -> bool:
    """Tells glibc not to give large blocks back to the system between steps, and to keep one arena for all threads that
    start from here on; False where there is no glibc.

    Without it every step faults its pages in again, which costs as much as the arithmetic on a small model.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    settings = (
        (_M_MMAP_THRESHOLD, 1 << 30),
        (_M_TRIM_THRESHOLD, (1 << 31) - 1),
        (_M_TOP_PAD, 64 << 20),
        (_M_ARENA_MAX, 1),  # a thread's own arena has no room for a batch, which would be mapped anew for every step
    )
    return all(mallopt(name, value) == 1 for name, value in settings)
