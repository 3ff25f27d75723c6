"""The tables of keys in the documentation, made from the tables of actions: ``python -P -m demo.key_tables``."""

from __future__ import annotations

import sys
from pathlib import Path

from annotator.ui.annotate.actions import TABLE
from annotator.ui.keys.table import ActionTable, key_text
from annotator.ui.library.library_actions import LIBRARY_TABLE

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"annotator.md": TABLE, "library.md": LIBRARY_TABLE}
BEGIN, END = "<!-- keys: made by demo.key_tables -->\n", "<!-- end of keys -->\n"


def key_table(table: ActionTable) -> str:
    """Every action of a window in Markdown, menu by menu, with the keys it comes with."""
    lines = []
    for menu in table.menus:
        lines += [f"| **{menu}** | |", "|---|---|"]
        lines += [f"| {spec.tip or spec.text} | {_keys(spec.keys)} |" for spec in table.in_menu(menu)] + [""]
    return "\n".join(lines)


def with_table(text: str, table: ActionTable) -> str:
    """A page with its table as it is to be now. Raises ValueError where the page has no place for one."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError("the page does not say where its keys stand")
    return f"{before}{BEGIN}\n{key_table(table)}\n{END}{after}"


def _keys(keys: tuple[str, ...]) -> str:
    shown = key_text(keys, "\n").split("\n") if keys else []
    return " or ".join(f"`{key}`" for key in shown)


def main() -> int:
    for name, table in PAGES.items():
        page = DOCS / name
        page.write_text(with_table(page.read_text(encoding="utf-8"), table), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
