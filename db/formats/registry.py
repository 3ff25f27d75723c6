"""Every format, by the name that `--format` takes. How one is added: `db.formats.format`."""

from __future__ import annotations

from collections.abc import Mapping

from db.errors import BadArgument
from db.formats import frames, lerobot, openp2p, owamcap, sessionfile, video, vpt, webdataset
from db.formats.format import Format, Way

FORMATS: dict[str, Format] = {
    made.name: made
    for made in (
        sessionfile.FORMAT,
        video.FORMAT,
        frames.FORMAT,
        frames.PARQUET,
        openp2p.FORMAT,
        vpt.FORMAT,
        lerobot.FORMAT,
        owamcap.FORMAT,
        webdataset.FORMAT,
    )
}


def find_format(name: str) -> Format:
    """Raises BadArgument."""
    if name in FORMATS:
        return FORMATS[name]
    raise BadArgument(f"There is no format {name!r}; there are {', '.join(FORMATS)}.")


def check_options(kind: Format, options: Mapping[str, str], way: Way) -> None:
    """Raises BadArgument where the format has no such option on this way, or one that cannot be this."""
    known = kind.options_for(way)
    for name, value in options.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise BadArgument(f"On the way {way} the format {kind.name} has no option {name!r}; {has}.")
        if known[name].choices and value not in known[name].choices:
            raise BadArgument(f"The option {name} is {value!r}; it should be {' or '.join(known[name].choices)}.")
