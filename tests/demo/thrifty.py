"""The recorder as it is, but for a video as small as it gets: for a sample that comes with the program."""

from __future__ import annotations

from db.specs import CaptureSpec

CRF, PRESET = 27, "slow"


def main() -> int:
    for name, value in (("crf", CRF), ("preset", PRESET)):
        CaptureSpec.model_fields[name].default = value
    CaptureSpec.model_rebuild(force=True)
    from recorder.__main__ import main as record

    return record() or 0


if __name__ == "__main__":
    raise SystemExit(main())
