from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from db.errors import BadFile, PlaytapeError
from db.recording import consent
from db.recording.consent import LICENCES, STATEMENT, WARNING, Consent, find_consent, give_consent
from db.recording.session import read_meta
from recordings import Take

NAME = "consents.json"


def test_consent_is_kept_per_person(tmp_path: Path) -> None:
    assert find_consent(tmp_path, "ann") is None
    before = datetime.now(UTC).replace(microsecond=0)
    given = give_consent(tmp_path, "ann", "CC-BY-4.0")
    assert find_consent(tmp_path, "ann") == given
    assert find_consent(tmp_path, "bob") is None
    assert (given.person, given.licence, given.version) == ("ann", "CC-BY-4.0", consent.VERSION)
    assert before <= datetime.fromisoformat(given.given_at) <= datetime.now(UTC)
    second = give_consent(tmp_path, "bob", "private")
    assert (find_consent(tmp_path, "ann"), find_consent(tmp_path, "bob")) == (given, second)
    changed = give_consent(tmp_path, "ann", "CC0-1.0")
    assert find_consent(tmp_path, "ann") == changed


def test_the_digest_is_of_the_text_that_was_shown(tmp_path: Path) -> None:
    given = give_consent(tmp_path, "ann", "private")
    assert given.text_sha256 == hashlib.sha256(f"{STATEMENT}\n{WARNING}".encode()).hexdigest()


def test_a_new_wording_asks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_consent(tmp_path, "ann", "private")
    monkeypatch.setattr(consent, "VERSION", consent.VERSION + 1)
    assert find_consent(tmp_path, "ann") is None


def test_the_licences_have_a_sentence_each() -> None:
    assert {"private", "CC0-1.0"} <= set(LICENCES)
    assert all(": " in text for text in LICENCES.values())


@pytest.mark.parametrize("licence", ["", "x" * 201])
def test_a_licence_has_a_name(tmp_path: Path, licence: str) -> None:
    with pytest.raises(ValidationError):
        give_consent(tmp_path, "ann", licence)
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"[]",
        b"null",
        b'{"ann": 1}',
        b'{"ann": {"person": "ann"}}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"ann": {"person": "ann", "licence": "", "version": 1, "text_sha256": "", "given_at": ""}}',
        b'{"ann": {"person": "ann", "licence": "x", "version": 1, "text_sha256": "", "given_at": "", "admin": true}}',
    ],
)
def test_a_damaged_file_is_told_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    for ask in (lambda: find_consent(tmp_path, "ann"), lambda: give_consent(tmp_path, "ann", "private")):
        with pytest.raises(BadFile, match=r"consents\.json is damaged .* agree again"):
            ask()
    assert path.read_bytes() == content


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(BadFile, match="cannot be read"):
        find_consent(tmp_path, "ann")


def test_a_missing_library_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PlaytapeError, match="nowhere"):
        give_consent(tmp_path / "nowhere", "ann", "private")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40).filter(lambda text: text.isprintable()), st.text(min_size=1, max_size=40))
def test_any_name_comes_back(tmp_path: Path, person: str, licence: str) -> None:
    try:
        person.encode(), licence.encode()
    except UnicodeEncodeError:
        return
    assert find_consent(tmp_path, give_consent(tmp_path, person, licence).person) is not None


def test_the_consent_travels_with_the_session(tmp_path: Path) -> None:
    given = give_consent(tmp_path, "ann", "CC0-1.0")
    take = Take()
    take.write(tmp_path / "session", take.meta().model_copy(update={"consent": given}))
    stored = read_meta(tmp_path / "session").consent
    assert stored == given
    assert isinstance(stored, Consent)


def test_an_interrupted_write_keeps_the_old_consents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = give_consent(tmp_path, "ann", "private")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlaytapeError, match="no room"):
        give_consent(tmp_path, "bob", "private")
    monkeypatch.undo()
    assert find_consent(tmp_path, "ann") == given
    assert json.loads((tmp_path / NAME).read_text(encoding="utf-8")).keys() == {"ann"}
