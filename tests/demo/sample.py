"""Makes the sample session that comes with Playtape: ``python -m demo.sample FILE``.

Freedoom, played by the scripted player through injected input in a window of its own X server, recorded by the real
recorder; then labelled a little, so that there is one of everything to look at.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from db.formats.interchange import export_session
from db.labelling.labels import Edit, LabelKind, Review, spans
from db.recording.session import read_meta, write_meta
from db.store import Store
from demo.recording import Script, Take, record
from games.witness import read_rows
from games.xserver import XServer

GAME, PLAYER, AUTHOR = "Sample", "demonstrator", "sample"
RATE_HZ, SECONDS, SIZE_PX, SEED = 20, 24.0, (320, 240), 5
INSTRUCTIONS = ("shoot", "collect", "dodge")


@dataclass(frozen=True)
class SmallScript(Script):
    """The same in a window of SIZE_PX."""

    def arguments(self, display: str, log: Path) -> list[str]:
        return [*super().arguments(display, log), "--size", "x".join(map(str, SIZE_PX))]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.sample", description=__doc__)
    parser.add_argument("file", type=Path, help="the .playtape file to write")
    target: Path = parser.parse_args().file
    with tempfile.TemporaryDirectory() as folder, XServer((800, 600), window_manager=True) as screen:
        library = Path(folder) / "library"
        recorder = ["demo.thrifty", "--headless", "--fps", str(RATE_HZ), "--game", GAME, "--player", PLAYER]
        recorder += ["--actor", "script", "--library", str(library), "--json"]
        script = SmallScript("arena", "demonstrator", SECONDS, SEED, INSTRUCTIONS)
        take = record(screen, script, Path(folder) / "log", recorder)
        with Store.open(library) as store:
            label(store, take)
            print(export_session(store, take.session_id, target), target.stat().st_size, "bytes")
    return 0


def label(store: Store, take: Take) -> None:
    """The instructions that were given, two flags, a tag, a note, and a suggestion that waits to be confirmed."""
    folder = store.session_folder(take.session_id)
    write_meta(folder, read_meta(folder).model_copy(update={"machine": {}}))  # whose machine it was is no matter
    clock = store.recording(take.session_id).clock
    rows = [row for row in read_rows(take.log / "instructions.jsonl") if row["kind"] == "instruction" and row["text"]]
    starts = [min(clock.index_at(row["t_ns"]) + 1, len(clock)) for row in rows] + [len(clock)]
    given = [
        (row["text"], start, stop) for row, start, stop in zip(rows, starts, starts[1:], strict=False) if start < stop
    ]
    *told, (last, start, stop) = given
    labels = [(LabelKind.INSTRUCTION, text, begin, end) for text, begin, end in told]
    labels.append((LabelKind.FLAG, "idle", len(clock) - RATE_HZ // 2, len(clock)))
    labels.append((LabelKind.COMMENT, "Is the enemy at the left seen in time?", told[0][1], told[0][1] + RATE_HZ))
    edits = [
        Edit(session_id=take.session_id, kind=kind, start=begin, stop=end, value=value, author=AUTHOR)
        for kind, value, begin, end in labels
    ]
    suggestion = {"source": "run:sample", "suggested": True}
    edits.append(
        Edit(
            session_id=take.session_id,
            kind=LabelKind.INSTRUCTION,
            start=start,
            stop=stop,
            value=last,
            author=AUTHOR,
            **suggestion,
        )
    )
    note = "A sample to try everything on: change it as you like, or delete it. It is never trained on unless accepted."
    edits.append(Edit(session_id=take.session_id, kind=LabelKind.NOTE, value=note, author=AUTHOR))
    edits.append(Edit(session_id=take.session_id, kind=LabelKind.TAG, value="sample", author=AUTHOR))
    store.commit(edits)
    store.set_review(take.session_id, Review.LABELLED, AUTHOR)
    assert len(spans(store.edits(take.session_id))) >= len(told) + 2


if __name__ == "__main__":
    raise SystemExit(main())
