"""`playtape`: the library's window, from which one records, labels, trains and plays."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from db.cli import add_common, default_person, describe, emit, open_library, run


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="playtape", description="The library of recorded sessions: record, label, train, play."
    )
    parser.add_argument("--person", default=default_person(), metavar="ID", help="who sits here (default: %(default)s)")
    add_common(parser)
    return run(show, parser, argv)


def show(args: argparse.Namespace) -> int:
    """Opens the window and returns when it is closed. Sessions that were cut off are put in order first.

    Where the library was moved from the window, the window is opened again with the library in its new folder.
    """
    from annotator.ui.desktop import start_app
    from annotator.ui.library.library_window import LibraryWindow

    app = start_app("playtape")
    news: list[str] = []
    while True:
        with open_library(args, recover=False) as store:
            reports = store.recover()
            recovered = [report for report in reports if not report.error]
            if recovered:
                one = "1 session that had been cut off was put in order."
                some = f"{len(recovered)} sessions that had been cut off were put in order."
                news.append(one if len(recovered) == 1 else some)
            news += describe([report for report in reports if report.error])
            window = LibraryWindow(store, args.person)
            if news:
                window.info.tell(" ".join(news))
            window.show()
            status: int = app.exec()
            if args.json:
                emit(args, {"library": str(store.root), "recovered": [report.session_id for report in recovered]}, "")
            if window.moved_to is None:
                return status
            news = [f"The library is in {window.moved_to} now; {store.root} leads there."]
            args.library = window.moved_to


if __name__ == "__main__":
    sys.exit(main())
