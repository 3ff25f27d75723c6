"""Addresses that are safe, keys that stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotator.vision.failures import VisionFailed
from annotator.vision.setup import VisionSetup, is_loopback
from db.errors import BadArgument


def endpoint(base_url: str = "https://models.example/v1", **more: object) -> VisionSetup:
    return VisionSetup.model_validate({"kind": "endpoint", "base_url": base_url, "model": "watcher", **more})


def test_it_is_off_until_somebody_chooses() -> None:
    with pytest.raises(BadArgument, match="No vision model"):
        VisionSetup().check()


@pytest.mark.parametrize(
    "address",
    [
        "", "models.example", "ftp://models.example", "https://", "https://ann:secret@models.example/v1",
        "https://models.example/v1?key=3", "https://models.example/#x", "https://models.example:0",
        "https://models.example:99999", "https://m\u043edels.example/v1", "https://models.example/v 1", "file:///etc",
    ],
)  # fmt: skip
def test_what_is_no_safe_address_is_refused(address: str) -> None:
    with pytest.raises(BadArgument):
        endpoint(address).check()


def test_plain_http_needs_leave_but_for_this_machine() -> None:
    with pytest.raises(BadArgument, match="for everybody on the way"):
        endpoint("http://models.example/v1").check()
    endpoint("http://models.example/v1", allow_plain=True).check()
    endpoint("http://localhost:11434/v1").check()
    endpoint("http://127.0.0.1:8000/v1").check()


def test_only_loopback_and_commands_stay_here() -> None:
    assert endpoint("http://[::1]:8000/v1").stays_here
    assert VisionSetup(kind="command", command="watch").stays_here
    assert not endpoint().stays_here
    assert not is_loopback("localhost.example")
    assert not is_loopback("127.0.0.1.example")
    assert not is_loopback("192.168.1.5")


def test_the_place_names_host_and_port() -> None:
    assert endpoint("https://models.example:8443/v1").place == "https://models.example:8443"
    assert endpoint().source == "run:vision-watcher"
    assert endpoint(model="Org/Seer 2").source == "run:vision-Org-Seer-2"


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VisionFailed, match="VISION_KEY"):
        endpoint(key_variable="VISION_KEY").read_key()
    monkeypatch.setenv("VISION_KEY", " s3cret\n")
    assert endpoint(key_variable="VISION_KEY").read_key() == "s3cret"
    monkeypatch.setenv("VISION_KEY", "two words")
    with pytest.raises(VisionFailed, match="no key"):
        endpoint(key_variable="VISION_KEY").read_key()
    assert "s3cret" not in endpoint(key_variable="VISION_KEY").model_dump_json()


def test_the_keys_file_must_be_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret\n")
    path.chmod(0o644)
    with pytest.raises(VisionFailed, match="chmod 600"):
        endpoint(key_file=str(path)).read_key()
    path.chmod(0o600)
    assert endpoint(key_file=str(path)).read_key() == "s3cret"
    with pytest.raises(VisionFailed, match="cannot be read"):
        endpoint(key_file=str(tmp_path / "none")).read_key()


def test_windows_must_move_on() -> None:
    with pytest.raises(BadArgument, match="overlap"):
        endpoint(window=8, overlap=8).check()
