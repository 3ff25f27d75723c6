from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from db.errors import BadArgument, BadFile
from db.settings import LibrarySettings, VocabularyEntry, change_settings, read_settings, settings_stamp, write_settings


def change(root, person: str = "ann", **fields: object) -> LibrarySettings:
    return change_settings(root, person, lambda settings: settings.model_copy(update=fields))


def test_what_others_change_meanwhile_stays(tmp_path) -> None:
    def add(number: int) -> None:
        entry = VocabularyEntry(text=f"go {number}")
        change_settings(tmp_path, "ann", lambda s: s.model_copy(update={"vocabulary": (*s.vocabulary, entry)}))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(20)))
    assert {entry.text for entry in read_settings(tmp_path).vocabulary} == {f"go {number}" for number in range(20)}


def test_only_stewards_change_the_rules_but_everybody_the_words(tmp_path) -> None:
    change(tmp_path, stewards=("ann",), double_label_share=0.25)
    with pytest.raises(BadArgument, match="changed by ann; ask"):
        change(tmp_path, "bob", no_self_accept=True)
    words = (VocabularyEntry(text="open the door"),)
    assert change(tmp_path, "bob", vocabulary=words).vocabulary == words
    with pytest.raises(BadArgument, match="Name yourself"):
        change(tmp_path, stewards=("bob",))
    assert change(tmp_path, stewards=()).may_change("bob")
    assert read_settings(tmp_path).double_label_share == 0.25


@pytest.mark.parametrize("fields", [{"least_share": 1.5}, {"trusted_h": 0.0}, {"stewards": ("",)}])
def test_what_is_invalid_changes_nothing(tmp_path, fields) -> None:
    with pytest.raises(BadArgument, match=next(iter(fields))):
        change(tmp_path, **fields)
    assert settings_stamp(tmp_path) == (0, 0)


def test_a_change_is_noticed_by_its_stamp_and_damage_stays_as_it_is(tmp_path) -> None:
    stamps = {settings_stamp(tmp_path)}
    for share in (0.1, 0.2):
        change(tmp_path, double_label_share=share)
        stamps.add(settings_stamp(tmp_path))
    assert len(stamps) == 3
    stamp = settings_stamp(tmp_path)
    change(tmp_path, double_label_share=0.2)
    assert settings_stamp(tmp_path) == stamp
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(BadFile):
        change(tmp_path, no_self_accept=True)
    assert (tmp_path / "settings.json").read_text() == "{"
    write_settings(tmp_path, LibrarySettings())
