"""Every format, by the name that `--format` takes. How one is added: `db.formats.format`."""

from __future__ import annotations

from db.errors import BadArgument
from db.formats import frames, lerobot, openp2p, owamcap, sessionfile, video, vpt, webdataset
from db.formats.format import Format

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


def check_options(kind: Format, options: dict[str, str]) -> None:
    """Raises BadArgument where the format has no such option."""
    for name in options:
        if name not in kind.options:
            has = f"it has {', '.join(kind.options)}" if kind.options else "it has none"
            raise BadArgument(f"The format {kind.name} has no option {name!r}; {has}.")
