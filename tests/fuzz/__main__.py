"""Feeds one target for so many seconds and tells what came of it. Needs atheris (`pip install atheris`); no part of the test suite.

Seconds are those of a processor: beside other work an hour may be a minute.

An input that breaks a target is put into tests/fuzz/broken/<target>, where the suite feeds it ever after.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["db.files", "db.formats", "db.labelling", "db.recording"]):
    from fuzz.targets import TARGETS

BROKEN = Path(__file__).with_name("broken")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path, help="a folder to keep what was found interesting (default: a new one)")
    args = parser.parse_args()
    target, folder = TARGETS[args.target], Path(tempfile.mkdtemp(prefix="playtape-fuzz-"))
    corpus = args.corpus or folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    count, longest_s, began_s = 0, 0.0, time.process_time()

    def feed(data: bytes) -> None:
        nonlocal count, longest_s
        started_s = time.process_time()
        try:
            target.feed(data, folder)
        except BaseException:
            place = BROKEN / args.target
            place.mkdir(parents=True, exist_ok=True)
            (place / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
            raise
        count += 1
        longest_s = max(longest_s, time.process_time() - started_s)
        if time.process_time() - began_s > args.seconds:
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            kept = sum(1 for _ in corpus.iterdir())
            facts = {"target": args.target, "inputs": count, "crashes": 0, "longest_ms": round(longest_s * 1000, 1)}
            print(json.dumps(facts | {"peak_mb": round(peak_mb), "corpus": kept}), flush=True)
            os._exit(0)  # the fuzzer has no other end than a crash

    atheris.Setup([sys.argv[0], str(corpus), f"-max_len={target.longest}", "-verbosity=0", "-timeout=600"], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
