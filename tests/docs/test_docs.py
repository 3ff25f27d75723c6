"""What the documentation names is there: pictures, pages, keys."""

from __future__ import annotations

import re

import numpy as np
import pytest

from demo.key_tables import DOCS, PAGES, with_table
from demo.stage import with_few

ROOT = DOCS.parent
IMAGES = DOCS / "images"
TEXTS = sorted([*DOCS.glob("*.md"), ROOT / "README.md"])
NAMED = re.compile(r"""!\[[^]]*]\(([^)\s]+)|(?:src|srcset)="([^"]+)\"""")
LINKED = re.compile(r"(?<!!)\[[^]]+]\(([^)\s]+)\)")


def named(page) -> set:
    found = {first or second for first, second in NAMED.findall(page.read_text(encoding="utf-8"))}
    return {(page.parent / name).resolve() for name in found if "://" not in name}


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_every_picture_and_page_that_is_named_is_there(page) -> None:
    missing = sorted(str(path.relative_to(ROOT)) for path in named(page) if not path.is_file())
    assert not missing, f"{page.name} names pictures that are not there: {missing}"
    links = [link.split("#")[0] for link in LINKED.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    lost = [link for link in links if link and not (page.parent / link).exists()]
    assert not lost, f"{page.name} leads to what is not there: {lost}"


def test_every_picture_is_named_somewhere() -> None:
    used = set().union(*(named(page) for page in TEXTS))
    unused = sorted(path.name for path in IMAGES.iterdir() if path.resolve() not in used)
    assert not unused, f"no page names these pictures: {unused}"


@pytest.mark.parametrize("page", sorted(IMAGES.glob("*-light.png")), ids=lambda path: path.stem)
def test_a_light_picture_has_its_dark_one_and_is_small(page) -> None:
    dark = page.with_name(page.name.replace("-light", "-dark"))
    assert dark.is_file()
    assert max(page.stat().st_size, dark.stat().st_size) <= 120_000


@pytest.mark.parametrize("name", PAGES)
def test_the_tables_of_keys_are_those_of_the_windows(name) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == with_table(text, PAGES[name]), "run: python -P -m demo.key_tables"


def test_a_picture_with_few_colours_keeps_the_windows_own() -> None:
    window = np.zeros((120, 200, 3), np.uint8)
    window[:60], window[60:] = (239, 241, 245), (30, 30, 46)
    window[5:7, 5:7] = (210, 15, 57)  # a dot
    window[70:110, 20:180] = np.random.default_rng(3).integers(0, 256, (40, 160, 3))  # a game
    few = np.asarray(with_few(window, 64).convert("RGB"))
    assert len(np.unique(few.reshape(-1, 3), axis=0)) <= 64
    assert (few[:5] == window[:5]).all()
    assert (few[60:70] == window[60:70]).all()
    assert np.abs(few[5, 5].astype(int) - window[5, 5]).max() < 90
