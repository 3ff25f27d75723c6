"""The report: one HTML page with tables and pictures, and the same figures as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from db.recording import keys

HERE = Path(__file__).parent


def write_report(folder: Path, figures: dict[str, Any]) -> Path:
    """Writes `report.html` and `figures.json` beside the pictures in `folder`; returns the page."""
    (folder / "figures.json").write_text(json.dumps(_plain(figures), indent=1) + "\n")
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=select_autoescape(["j2"]), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["num"] = show_number
    environment.filters["minutes"] = show_minutes
    environment.filters["key"] = lambda name: keys.label(keys.parse(name))
    page = folder / "report.html"
    page.write_text(environment.get_template("report.html.j2").render(figures), encoding="utf-8")
    return page


def show_number(value: Any, digits: int = 2) -> str:
    """A figure for people: `–` where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def show_minutes(seconds: float) -> str:
    """`3:07`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
