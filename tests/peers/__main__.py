"""`make peers`: tries each tool on what we write, and us on what it writes, and says what is equal. Status 1 where anything is not."""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from db.formats.format import Asked
from db.formats.keynames import WINDOWS_KEYS
from db.formats.registry import find_format
from db.formats.report import Report
from db.formats.transfer import bring_in, write_out
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.keys import BTN_LEFT, name
from db.store import Store
from peers.environment import ask, check_out, meet, prepare
from recordings import KEY_W, Take, record

Check = tuple[str, bool]
"""What is claimed, and whether it is so."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make peers", description=__doc__)
    parser.add_argument("peer", nargs="*", help=f"which (default: {', '.join(PEERS)})")
    parser.add_argument("--environment", type=Path, default=Path("build/peers"), metavar="DIR")
    args = parser.parse_args()
    python = prepare(args.environment.absolute())
    failed = 0
    for peer in args.peer or PEERS:
        folder = Path(tempfile.mkdtemp(prefix="playtape-peers-"))
        try:
            with Store.open(folder / "library") as store:
                for what, is_so in PEERS[peer](python, store, folder):
                    failed += not is_so
                    print(f"{'ok    ' if is_so else 'FAILED'}  {peer:<10}  {what}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED  {peer:<10}  {type(error).__name__}: {error}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def try_lerobot(python: Path, store: Store, folder: Path) -> Iterator[Check]:
    session_id = _session(store)
    _write(store, "lerobot", session_id, folder / "ours")
    said = ask(python, "lerobot", "read", folder / "ours")
    track = store.recording(session_id).resolve()
    ours = np.concatenate([track.active.astype(np.float32), track.motion, track.scroll], axis=1)
    yield f"LeRobot {said['version']} reads all {said['frames']} frames of our export", said["frames"] == len(track)
    yield "it finds the names of our actions", said["names"][:2] == [name(code) for code in track.codes]
    yield "its actions are those that the annotator shows", np.array_equal(np.array(said["actions"]), ours)
    yield "its tasks are our instructions", _runs(said["tasks"]) == [(5, 40, "walk to the gate")]
    yield "its statistics are ours", np.allclose(said["mean"], ours.mean(axis=0), atol=1e-5)
    yield "its pictures are ours", _pictures_match(store, session_id, said["luma"])
    said = ask(python, "lerobot", "write", folder / "theirs")
    reports = _bring(store, "lerobot", folder / "theirs")
    yield "we import both episodes that its writer made (AV1)", [r.outcome for r in reports] == ["imported"] * 2
    came = [store.recording(report.session_id).resolve() for report in reports]
    actions = np.concatenate(
        [np.concatenate([t.select([KEY_W, BTN_LEFT]).astype(np.float32), t.motion], axis=1) for t in came]
    )
    yield "our actions are those that it wrote", np.array_equal(actions, np.array(said["actions"], np.float32))
    tasks = [(e.start, e.stop, e.value) for e in spans(store.edits(reports[0].session_id))]
    yield "our instructions are its tasks", tasks == [(0, 25, "go"), (25, 40, "stand still")]
    luma = [float(p.mean()) for r in reports for _, p in store.recording(r.session_id).video().read(range(40))]
    yield "our pictures are its", float(np.abs(np.array(luma) - said["luma"]).max()) < 4
    yield "what has no place is told", reports[0].dropped == {"the feature observation.state": 1}


def try_owamcap(python: Path, store: Store, folder: Path) -> Iterator[Check]:
    session_id = _session(store)
    _write(store, "owamcap", session_id, folder / "ours")
    said = ask(python, "owamcap", "read", folder / "ours")
    recording = store.recording(session_id)
    shift = recording.meta.anchor.wall_ns - recording.meta.anchor.mono_ns
    keys = [event for event in recording.events if event["kind"] == 1 and event["code"] in WINDOWS_KEYS]
    expected = [
        [int(e["t_ns"]) + shift, WINDOWS_KEYS[int(e["code"])], "press" if e["value"] else "release"] for e in keys
    ]
    yield (
        f"mcap-owa-support {said['version']} reads all {said['messages']} messages, checksums too",
        said["records"] > 0,
    )
    yield "its keys and their times are ours", said["keys"] == expected
    yield "its motion is ours", said["motion"] == recording.resolve().motion.sum(axis=0).tolist()
    yield "its frames have our times", said["times"] == (recording.clock.t_ns + shift).tolist()
    yield "its pictures are ours", _pictures_match(store, session_id, said["luma"])
    ask(python, "owamcap", "write", folder / "theirs")
    report = _bring(store, "owamcap", folder / "theirs")[0]
    yield "we import what its writer made", (report.outcome, report.frames) == ("imported", 60)
    came = store.recording(report.session_id)
    track = came.resolve()
    yield "our held keys are its", np.flatnonzero(track.select([KEY_W])[:, 0]).tolist() == list(range(5, 20))
    yield "its repeats are no presses", int(track.presses[:, track.codes.index(KEY_W)].sum()) == 1
    yield "the mouse counts once", track.motion.sum(axis=0).tolist() == [5.0, -3.0]
    yield "a notch down is one", track.scroll.sum(axis=0).tolist() == [0.0, -1.0]
    luma = [float(picture.mean()) for _, picture in came.video().read(range(60))]
    yield "our pictures are its", float(np.abs(np.array(luma) - (20 + 3 * np.arange(60))).max()) < 4


def try_webdataset(python: Path, store: Store, folder: Path) -> Iterator[Check]:
    session_id = _session(store)
    track = store.recording(session_id).resolve()
    held = [[name(code) for code, is_active in zip(track.codes, row, strict=True) if is_active] for row in track.active]
    for kind, count in (("clip", 3), ("frame", len(track))):
        out = folder / kind
        options = {"seconds": "1", "shard": "2"} if kind == "clip" else {"shard": "40"}
        _write(store, "webdataset", session_id, out, {"sample": kind} | options)
        said = ask(python, "webdataset", "read", out)
        yield f"webdataset {said['version']} reads all {count} {kind}s", len(said["keys"]) == count
        yield f"the {kind}s are in order", said["keys"] == sorted(said["keys"])
        yield f"the {kind}s hold every picture once", said["pictures"] == len(track)
        yield f"the {kind}s' motion is ours", said["motion"] == track.motion.sum(axis=0).tolist()
        yield f"the {kind}s' keys are ours", said["held"] == held


def try_openp2p(python: Path, store: Store, folder: Path) -> Iterator[Check]:
    checkout = check_out("openp2p", "https://github.com/elefant-ai/open-p2p", folder)
    yield f"open-p2p's parser and ours agree: {meet(python, 'openp2p', checkout)}", True


def try_vpt(python: Path, store: Store, folder: Path) -> Iterator[Check]:
    checkout = check_out("vpt", "https://github.com/openai/Video-Pre-Training", folder)
    yield f"VPT's loader reads ours: {meet(python, 'vpt', checkout)}", True


PEERS = {
    "lerobot": try_lerobot,
    "owamcap": try_owamcap,
    "webdataset": try_webdataset,
    "openp2p": try_openp2p,
    "vpt": try_vpt,
}


def _session(store: Store) -> str:
    session_id = record(store, Take(count=90))
    said: dict[str, Any] = {"kind": LabelKind.INSTRUCTION, "start": 5, "stop": 40, "value": "walk to the gate"}
    store.commit([Edit(session_id=session_id, author="ann", **said)])
    return session_id


def _write(store: Store, kind: str, session_id: str, out: Path, options: dict[str, str] | None = None) -> None:
    reports = list(write_out(store, find_format(kind), [session_id], out, Asked(options=options or {})))
    assert [report.outcome for report in reports] == ["written"], reports


def _bring(store: Store, kind: str, path: Path) -> list[Report]:
    return list(bring_in(store, find_format(kind), [path], Asked("theirs", "bob")))


def _runs(texts: list[str]) -> list[tuple[int, int, str]]:
    """Stretches of one text, those of none left out."""
    edges = [0, *(i for i in range(1, len(texts)) if texts[i] != texts[i - 1]), len(texts)]
    return [(a, b, texts[a]) for a, b in itertools.pairwise(edges) if texts[a]]


def _pictures_match(store: Store, session_id: str, luma: list[float]) -> bool:
    """Whether each has our brightness, in [0, 1], to within what a codec changes."""
    own = [float(p.mean()) / 255 for _, p in store.recording(session_id).video().read(range(len(luma)))]
    return float(np.abs(np.array(own) - luma).max()) < 0.02


if __name__ == "__main__":
    raise SystemExit(main())
