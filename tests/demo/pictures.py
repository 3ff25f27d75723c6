"""Pictures of every screen of the annotator and the library's window, light and dark: ``python -P -m demo.pictures DIR``.

The library in them is made by real play of a free game and filled by the real writers; the windows are the real ones on
a display of their own, brought into each state by keys.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from PyQt6.QtWidgets import QMainWindow

from games.xserver import XServer

SIZE_PX = (1280, 800)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.pictures", description=__doc__)
    parser.add_argument("out", type=Path, metavar="DIR", help="where the pictures go")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of the pictures to take (default: all)")
    parser.add_argument("--home", type=Path, help="keeps the library here, and takes it from here the next time")
    args = parser.parse_intermixed_args()
    out: Path = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = args.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pictures-")))
        screen = stack.enter_context(XServer(SIZE_PX, window_manager=True))
        home = folder.resolve() / "home"
        home.mkdir(parents=True, exist_ok=True)
        os.environ |= screen.env() | {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "TZ": "UTC"}
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        return take_all(folder.resolve(), home, out, args.names)


def take_all(folder: Path, home: Path, out: Path, names: list[str]) -> int:
    """Makes the library where it is not there yet, then takes the pictures. Returns how many failed."""
    from annotator.ui.desktop import start_app
    from demo.annotator_scenes import ANNOTATOR_SCENES
    from demo.library_scenes import LIBRARY_SCENES
    from demo.picture_library import made
    from demo.stage import Stage, staged, take

    scenes: dict[str, Callable[[Stage], QMainWindow]] = ANNOTATOR_SCENES | LIBRARY_SCENES
    if unknown := set(names) - set(scenes):
        print(f"There is no picture {', '.join(sorted(unknown))}; there are: {', '.join(scenes)}.", file=sys.stderr)
        return 2
    shown = made(folder / "library", folder / "game")
    app = start_app("playtape")
    app.setCursorFlashTime(0)
    failed = 0
    for name in names or scenes:
        with staged(home, folder / "library", shown) as stage:
            try:
                take(scenes[name](stage), out, name)
                print(name, flush=True)
            except (TimeoutError, AssertionError) as error:
                failed += 1
                print(f"{name}: {error!r}", file=sys.stderr, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
