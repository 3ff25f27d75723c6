"""An endpoint that works, and every way in which one does not."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from annotator.vision.endpoint import MOST_BYTES, ask_endpoint
from annotator.vision.failures import BadReply, Stopped, VisionBusy, VisionFailed
from annotator.vision.request import Request, Shot
from annotator.vision.setup import VisionSetup
from visionserver import Handler, StandIn, says, serve

REQUEST = Request("watch", "two pictures", (Shot(0, 0.0, b"\xff\xd8one"), Shot(30, 1.0, b"\xff\xd8two")), 0.0, 2.0)


def setup_for(stand_in: StandIn, **more: object) -> VisionSetup:
    chosen = {"kind": "endpoint", "base_url": stand_in.base_url, "model": "watcher", "timeout_s": 10.0, **more}
    return VisionSetup.model_validate(chosen)


def ask(stand_in: StandIn, cancelled=lambda: False, **more: object) -> str:
    return ask_endpoint(setup_for(stand_in, **more), REQUEST, cancelled)


def test_a_chat_is_asked_with_text_pictures_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_KEY", "s3cret")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serve(says("hello")) as stand_in:
        assert ask(stand_in, key_variable="VISION_KEY") == "hello"
        body = stand_in.asked[0]
        assert stand_in.paths == ["/v1/chat/completions"]
        assert stand_in.headers[0]["authorization"] == "Bearer s3cret"
        assert body["model"] == "watcher"
        assert body["messages"][0] == {"role": "system", "content": "watch"}
        parts = body["messages"][1]["content"]
        assert parts[0] == {"type": "text", "text": "two pictures"}
        assert parts[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")
        assert len(parts) == 3


def test_an_answer_in_parts_is_joined() -> None:
    def parts(handler: Handler, body: object) -> None:
        content = [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]
        handler.give(json.dumps({"choices": [{"message": {"content": content}}]}).encode())

    with serve(parts) as stand_in:
        assert ask(stand_in) == "hello"


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, VisionFailed, "key"),
        (403, VisionFailed, "key"),
        (404, VisionFailed, "no such model"),
        (413, VisionFailed, "too large"),
        (400, VisionFailed, "refused"),
        (418, VisionFailed, "refused"),
        (500, VisionBusy, "busy"),
        (503, VisionBusy, "busy"),
    ],
)
def test_a_refusal_is_told_in_one_sentence(status: int, error: type[Exception], words: str) -> None:
    said = json.dumps({"error": {"message": "quota\nof <b>ann</b>"}}).encode()
    with serve(lambda handler, body: handler.give(said, status)) as stand_in:
        with pytest.raises(error, match=words) as told:
            ask(stand_in)
        assert "\n" not in str(told.value)
        assert "<" not in str(told.value)


def test_too_many_requests_say_how_long_to_wait() -> None:
    with serve(lambda handler, body: handler.give(b"", 429, Retry_After="7")) as stand_in:
        with pytest.raises(VisionBusy) as told:
            ask(stand_in)
        assert told.value.after_s == 7.0
    with serve(lambda handler, body: handler.give(b"", 429, Retry_After="nan")) as stand_in:
        with pytest.raises(VisionBusy) as told:
            ask(stand_in)
        assert told.value.after_s is None


def test_no_redirect_is_followed() -> None:
    with serve(says("stolen")) as thief:
        there = f"{thief.base_url}/chat/completions"
        with (
            serve(lambda handler, body: handler.give(b"", 307, Location=there)) as stand_in,
            pytest.raises(VisionFailed, match="was not done"),
        ):
            ask(stand_in)
        assert thief.asked == []


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", b"", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {}}]}', b"\xff" * 99,
     b"[" * 200_000, b'{"choices": [{"message": {"content": 3}}]}', b'{"choices": [{"message": {"content": null}}]}'],
)  # fmt: skip
def test_what_is_no_chat_completion_is_a_bad_reply(body: bytes) -> None:
    with serve(lambda handler, _: handler.give(body)) as stand_in, pytest.raises(BadReply) as told:
        ask(stand_in)
    assert len(str(told.value)) < 300


def test_an_answer_beyond_all_size_is_not_read() -> None:
    def endless(handler: Handler, body: object) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(MOST_BYTES // 65536 + 20):
            handler.wfile.write(b"x" * 65536)
        handler.stand_in.released.wait(20)

    with serve(endless) as stand_in, pytest.raises(BadReply, match="MiB"):
        ask(stand_in)


def test_an_answer_that_drips_for_ever_is_given_up() -> None:
    def drip(handler: Handler, body: object) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.stand_in.released.wait(0.05):
            handler.wfile.write(b" ")

    with serve(drip) as stand_in, pytest.raises(VisionBusy, match="within 1 s"):
        ask(stand_in, timeout_s=1.0)


def test_silence_is_stopped_by_a_person() -> None:
    asked = threading.Event()

    def hang(handler: Handler, body: object) -> None:
        asked.set()
        handler.stand_in.released.wait(30)

    with serve(hang) as stand_in:
        began = time.monotonic()
        with pytest.raises(Stopped):
            ask(stand_in, cancelled=asked.is_set, timeout_s=60)
        assert time.monotonic() - began < 30


def test_hanging_up_is_told() -> None:
    def hang_up(handler: Handler, body: object) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    with serve(hang_up) as stand_in, pytest.raises(VisionBusy, match="hung up"):
        ask(stand_in)


def test_nobody_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    setup = VisionSetup(kind="endpoint", base_url=f"http://127.0.0.1:{port}/v1", model="watcher")
    with pytest.raises(VisionBusy, match="cannot be reached"):
        ask_endpoint(setup, REQUEST, lambda: False)


def test_what_cannot_be_the_name_of_a_host_is_told() -> None:
    setup = VisionSetup(kind="endpoint", base_url=f"https://{'a' * 70}.example/v1", model="watcher")
    with pytest.raises(VisionFailed, match="no name of a host"):
        ask_endpoint(setup, REQUEST, lambda: False)


def test_a_server_without_a_good_certificate_gets_nothing() -> None:
    with serve(says("hello")) as stand_in:
        secure = stand_in.base_url.replace("http://", "https://")
        with pytest.raises(VisionFailed):
            ask_endpoint(setup_for(stand_in).model_copy(update={"base_url": secure}), REQUEST, lambda: False)
        assert stand_in.asked == []


def test_a_name_of_this_machine_that_leads_elsewhere_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(says("hello")) as stand_in:
        monkeypatch.setattr("annotator.vision.endpoint._is_own", lambda connected: False)
        with pytest.raises(VisionFailed, match="nothing was sent"):
            ask(stand_in)
        assert stand_in.asked == []
