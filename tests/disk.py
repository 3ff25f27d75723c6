"""What a power cut leaves of a program's files: its system calls, traced and applied to a model of a disk.

The model keeps only what POSIX promises. A file's bytes are safe up to its last fsync; of what was written since, each
block may be old, new, zero or garbage, and the length anything between. A name (created, renamed, removed) is safe after
an fsync of its folder; of those since, any first few may have been kept.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import NamedTuple

CALLS = "openat,open,creat,write,pwrite64,writev,pwritev,lseek,ftruncate,truncate,fsync,fdatasync"
NAME_CALLS = "rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat"
BLOCK_BYTES = 512

_LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_TEXT = r"(?:\\x[0-9a-f]{2})*"
_HANDLE = re.compile(r"(-?\d+|AT_FDCWD)<([^>]*)>(\(deleted\))?")
_STRING = re.compile(rf'"({_TEXT})"')
_CUT_OFF = re.compile(r"\w+\((.*)")


class Call(NamedTuple):
    """One finished system call that changes files. `path` is absolute, `other` is a rename's target."""

    name: str
    wall_ns: int
    path: str
    other: str = ""
    handle: int = -1
    flags: str = ""
    offset: int = -1
    """Where a positioned write begins, or the length that a truncation leaves; -1 for a write where the handle stands."""
    data: bytes = b""


def can_trace() -> bool:
    """Whether strace is installed and this place lets programs be traced."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


def traced(command: Sequence[str], log: Path) -> list[str]:
    """The command line that runs a program and writes its file calls, data included, to `log`."""
    options = ["-f", "-qq", "-y", "-ttt", "-xx", "-s", str(1 << 28), "-e", "signal=none", "--seccomp-bpf"]
    return ["strace", *options, "-e", f"trace={CALLS},{NAME_CALLS}", "-o", str(log), *command]


def read_trace(log: Path) -> Iterator[Call]:
    """The calls that succeeded, in the order in which they ended. A folder's sync is told twice: `sync` as it begins too,
    since names that another thread makes meanwhile are not covered by it.
    """
    begun: dict[str, str] = {}
    with log.open(encoding="ascii") as lines:
        for line in lines:
            yield from _read_line(line, begun)


def _read_line(line: str, begun: dict[str, str]) -> Iterator[Call]:
    """What one line tells. `begun`: by thread, the calls that another thread's lines have interrupted."""
    found = _LINE.match(line)
    if found is None:
        return
    thread, stamp, text = found.groups()
    resumed = _RESUMED.match(text)
    if text.endswith("<unfinished ...>"):
        begun[thread] = text.removesuffix("<unfinished ...>")
        if text.startswith(("fsync", "fdatasync")):
            yield _sync_begins(begun[thread], stamp)
        return
    whole = begun.pop(thread, "") + resumed[2] if resumed else text
    call = _CALL.match(whole)
    if call is None or int(call[3]) < 0:
        return
    if not resumed and call[1] in ("fsync", "fdatasync"):
        yield _sync_begins(whole, stamp)
    parsed = _parse(call[1], call[2], whole, int(call[3]), _wall_ns(stamp))
    if parsed is not None:
        yield parsed


def _wall_ns(stamp: str) -> int:
    seconds, fraction = stamp.split(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def _text(escaped: str) -> str:
    return bytes.fromhex(escaped.replace("\\x", "")).decode(errors="surrogateescape")


def _sync_begins(text: str, stamp: str) -> Call:
    cut = _CUT_OFF.match(text)
    handle = _HANDLE.search(cut[1] if cut else text)
    return Call("sync_begin", _wall_ns(stamp), _text(handle[2]) if handle else "")


def _parse(name: str, arguments: str, whole: str, result: int, wall_ns: int) -> Call | None:
    handles, strings = list(_HANDLE.finditer(arguments)), _STRING.findall(arguments)
    if name in ("openat", "open", "creat"):
        opened = _HANDLE.search(whole, whole.rindex(") = "))
        if opened is None or "O_RDONLY" in arguments:
            return None
        return Call("open", wall_ns, _text(opened[2]), handle=result, flags=arguments)
    if name in ("write", "pwrite64", "writev", "pwritev", "lseek", "ftruncate", "fsync", "fdatasync"):
        if not handles or handles[0][3]:
            return None  # a file without a name any more, or no file
        path, handle = _text(handles[0][2]), int(handles[0][1])
        if name in ("fsync", "fdatasync"):
            return Call("sync", wall_ns, path)
        if name == "lseek":
            return Call("seek", wall_ns, path, handle=handle, offset=result)
        if name == "ftruncate":
            return Call("truncate", wall_ns, path, offset=int(arguments.rsplit(", ", 1)[1]))
        data = b"".join(bytes.fromhex(text.replace("\\x", "")) for text in strings)[:result]
        offset = int(arguments.rsplit(", ", 1)[1]) if name in ("pwrite64", "pwritev") else -1
        return Call("write", wall_ns, path, handle=handle, offset=offset, data=data)
    paths = [_text(text) for text in strings]
    if name.endswith(("at", "at2")):
        paths = [str(PurePath(_text(h[2])) / path) for h, path in zip(handles, paths, strict=False)]
    if name == "truncate":
        return Call("truncate", wall_ns, paths[0], offset=int(arguments.rsplit(", ", 1)[1]))
    if name.startswith("rename"):
        return Call("rename", wall_ns, paths[0], other=paths[1])
    if name.startswith("mkdir"):
        return Call("mkdir", wall_ns, paths[0])
    if name.startswith(("unlink", "rmdir")):
        return Call("unlink", wall_ns, paths[0])
    raise NotImplementedError(f"the model of a disk does not know {name}")


@dataclass
class File:
    """A file's bytes: those that are safe, and those that the program sees."""

    safe: bytes = b""
    seen: bytearray = field(default_factory=bytearray)
    unsafe: list[range] = field(default_factory=list)
    before: list[File] = field(default_factory=list)
    """As it was before each cut of its length since the last sync: such a cut happens on a disk whole or not at all."""

    def write(self, offset: int, data: bytes) -> None:
        if offset > len(self.seen):
            self.seen.extend(bytes(offset - len(self.seen)))
        self.seen[offset : offset + len(data)] = data
        self.unsafe.append(range(offset, offset + len(data)))

    def truncate(self, length: int) -> None:
        if length >= len(self.seen):
            self.write(len(self.seen), bytes(length - len(self.seen)))
            return
        self.before.append(File(self.safe, bytearray(self.seen), list(self.unsafe)))
        del self.seen[length:]
        self.safe = self.safe[:length]
        self.unsafe = [range(part.start, min(part.stop, length)) for part in self.unsafe if part.start < length]

    def sync(self) -> None:
        if self.unsafe or self.before:
            self.safe, self.unsafe, self.before = bytes(self.seen), [], []

    def torn(self, dice: random.Random) -> bytes:
        """The bytes that a power cut at this moment may leave."""
        if self.before and dice.random() < 0.5:
            return dice.choice(self.before).torn(dice)
        if not self.unsafe:
            return self.safe
        low, high = sorted((len(self.safe), len(self.seen)))
        length = dice.choice([low, high, dice.randint(low, high)])
        left = bytearray(self.safe[:length].ljust(length, b"\0"))
        keep = dice.random()  # sometimes nearly all of it had reached the disk, sometimes nearly nothing
        for block in sorted({at // BLOCK_BYTES for part in self.unsafe for at in _blocks(part)}):
            start, stop = block * BLOCK_BYTES, min((block + 1) * BLOCK_BYTES, length)
            if start >= length:
                break
            if dice.random() < keep:
                left[start:stop] = self.seen[start:stop].ljust(stop - start, b"\0")
            elif start >= len(self.safe) and dice.random() < 0.3:
                left[start:stop] = dice.randbytes(stop - start)  # a new block that keeps what was there before
        return bytes(left)


def _blocks(part: range) -> range:
    return range(part.start - part.start % BLOCK_BYTES, part.stop, BLOCK_BYTES)


@dataclass
class Folder:
    """A folder's names: those that are safe, and what was done to them since, in order (a name and what it stands for)."""

    safe: dict[str, File | Folder] = field(default_factory=dict)
    since: list[dict[str, File | Folder | None]] = field(default_factory=list)
    syncing: int = 0

    def seen(self, count: int | None = None) -> dict[str, File | Folder]:
        """The names after the first `count` changes (all of them: what the program sees)."""
        names: dict[str, File | Folder | None] = dict(self.safe)
        for change in self.since[:count]:
            names |= change
        return {name: node for name, node in names.items() if node is not None}

    def sync(self) -> None:
        self.safe, self.since = self.seen(self.syncing), self.since[self.syncing :]
        self.syncing = 0


class Disk:
    """What lies under `root`, which exists (and is safe) before the first call."""

    def __init__(self, root: Path, before: Path | None = None) -> None:
        """before: a folder that holds what was there, safe, before the first call (None: nothing)."""
        self._root, self._top = str(root), _read_in(before) if before is not None else Folder()
        self._offsets: dict[int, int] = {}

    def apply(self, call: Call) -> bool:
        """Does what a call did; False where it was not about a file under the root."""
        if not call.path.startswith(self._root):
            return False
        if call.name == "open":
            self._open(call)
        elif call.name == "mkdir":
            self._change(call.path, Folder())
        elif call.name == "unlink":
            self._change(call.path, None)
        elif call.name == "rename":
            self._rename(call.path, call.other)
        elif call.name == "seek":
            self._offsets[call.handle] = call.offset
        else:
            self._on_node(call)
        return True

    def cut(self, target: Path, dice: random.Random) -> None:
        """Writes to the new folder `target` what a power cut at this moment may leave."""
        _write_out(self._top, target, dice)

    def _on_node(self, call: Call) -> None:
        node = self._node(call.path)
        if isinstance(node, Folder):
            if call.name == "sync_begin":
                node.syncing = len(node.since)
            elif call.name == "sync":
                node.sync()
        elif call.name == "write":
            offset = call.offset if call.offset >= 0 else self._offsets.get(call.handle, 0)
            offset = len(node.seen) if offset == _APPEND else offset
            node.write(offset, call.data)
            if call.offset < 0 and self._offsets.get(call.handle) != _APPEND:
                self._offsets[call.handle] = offset + len(call.data)
        elif call.name == "truncate":
            node.truncate(call.offset)
        elif call.name == "sync":
            node.sync()

    def _open(self, call: Call) -> None:
        parent = self._node(str(PurePath(call.path).parent))
        assert isinstance(parent, Folder)
        name = PurePath(call.path).name
        node = parent.seen().get(name)
        if node is None:
            node = File()
            parent.since.append({name: node})
        elif isinstance(node, File) and "O_TRUNC" in call.flags and node.seen:
            node.truncate(0)
        self._offsets[call.handle] = _APPEND if "O_APPEND" in call.flags else 0

    def _rename(self, source: str, target: str) -> None:
        node = self._node(source)
        old, new = PurePath(source), PurePath(target)
        if old.parent == new.parent:
            parent = self._node(str(old.parent))
            assert isinstance(parent, Folder)
            parent.since.append({old.name: None, new.name: node})
        else:
            self._change(target, node)
            self._change(source, None)

    def _change(self, path: str, node: File | Folder | None) -> None:
        parent = self._node(str(PurePath(path).parent))
        assert isinstance(parent, Folder)
        parent.since.append({PurePath(path).name: node})

    def _node(self, path: str) -> File | Folder:
        node: File | Folder = self._top
        for part in PurePath(path).relative_to(self._root).parts:
            assert isinstance(node, Folder)
            node = node.seen()[part]
        return node


_APPEND = -2


def _read_in(place: Path) -> Folder:
    folder = Folder()
    for path in place.iterdir():
        data = b"" if path.is_dir() else path.read_bytes()
        folder.safe[path.name] = _read_in(path) if path.is_dir() else File(data, bytearray(data))
    return folder


def _write_out(folder: Folder, target: Path, dice: random.Random) -> None:
    target.mkdir(mode=0o700)
    count = dice.choice([0, len(folder.since), dice.randint(0, len(folder.since))])
    for name, node in folder.seen(count).items():
        if isinstance(node, Folder):
            _write_out(node, target / name, dice)
        else:
            (target / name).write_bytes(node.torn(dice))


def replay(disk: Disk, calls: Iterable[Call]) -> Iterator[Call]:
    """Applies the calls one by one, and yields each that was about the disk's files as it has been applied."""
    for call in calls:
        if disk.apply(call):
            yield call
