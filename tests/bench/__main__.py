"""`make bench`: runs every measurement, or those named: ``python -m bench witness kill``.

``ablations``, ``ceiling``, ``corrections``, ``episodes`` and ``pseudolabels`` stand apart: all but ``episodes`` need a library with a
dataset or a policy, and all but ``ceiling`` most of an hour or more. Each says more with ``--help``. ``roundtrips`` is run among all, and
takes options (a library) where it is named alone.
"""

from __future__ import annotations

import argparse
import json
import sys

from bench import (
    ablations,
    annotating,
    capture,
    ceiling,
    corrections,
    cost,
    decode,
    editkill,
    editlog,
    editrace,
    episodes,
    exactness,
    interchange,
    keystrokes,
    kill,
    movekill,
    playlatency,
    powercut,
    privacy,
    pseudolabels,
    resolve,
    roundtrips,
    search,
    soak,
    startstop,
    sync,
    takeover,
    training,
    watching,
    witness,
)

ROWS = {
    "witness": witness.measure,
    "kill": kill.measure,
    "powercut": powercut.measure,
    "soak": soak.measure,
    "startstop": startstop.measure,
    "capture": capture.measure,
    "cost": cost.measure,
    "sync": sync.measure,
    "privacy": privacy.measure,
    "decode": decode.measure,
    "resolve": resolve.measure,
    "movekill": movekill.measure,
    "playlatency": playlatency.measure,
    "search": search.measure,
    "annotating": annotating.measure,
    "editkill": editkill.measure,
    "editlog": editlog.measure,
    "editrace": editrace.measure,
    "exactness": exactness.measure,
    "interchange": interchange.measure,
    "roundtrips": roundtrips.measure,
    "keystrokes": keystrokes.measure,
    "takeover": takeover.measure,
    "training": training.measure,
    "watching": watching.measure,
}
APART = {
    "ablations": ablations.main,
    "ceiling": ceiling.main,
    "corrections": corrections.main,
    "episodes": episodes.main,
    "pseudolabels": pseudolabels.main,
}


WITH_OPTIONS = {"roundtrips": roundtrips.main}


def main() -> int:
    if sys.argv[2:] and sys.argv[1] in WITH_OPTIONS and sys.argv[2].startswith("-"):
        return WITH_OPTIONS[sys.argv[1]](sys.argv[2:])
    if sys.argv[1:] and sys.argv[1] in APART:
        return APART[sys.argv[1]](sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which: {', '.join(ROWS)} (default: all)")
    args = parser.parse_args()
    unknown = set(args.rows) - set(ROWS)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    for name in args.rows or ROWS:
        print(f"== {name}", flush=True)
        for key, value in ROWS[name]().items():
            print(f"   {key:<44} {value if isinstance(value, str) else json.dumps(value)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
