"""The self-test: what it says of a picture and of devices, and that a working set-up waits for nothing."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from db.clock import now_ns
from db.errors import CaptureUnavailable
from db.recording.events import EventKind, InputEvent
from db.specs import CaptureSpec
from db.store import Store
from recorder.inputs.synthetic import SyntheticInputs
from recorder.order import Order
from recorder.pipeline import InputPump, ScreenPump
from recorder.screen.source import Grab
from recorder.screen.synthetic import SyntheticScreen
from recorder.selftest import Outcome, examine, refusal
from recorder.take import Take

from .conftest import wait_until


class BlackScreen(SyntheticScreen):
    """Black until `shown` grabs have been made."""

    def __init__(self, shown=10**9):
        super().__init__((64, 48))
        self._shown = shown

    def grab(self, *, blank_if_covered=False):
        grab = super().grab()
        black = np.zeros_like(grab.bgra)
        return Grab(black if self.grabs <= self._shown else grab.bgra, grab.t_before_ns, grab.t_ns)


@pytest.fixture
def look():
    pumps = []

    def run(screen, *events, limit_s=0.5):
        inputs = SyntheticInputs()
        pumps.extend([ScreenPump(screen, 30), InputPump(inputs)])
        for pump in pumps:
            pump.start()
        for event in events:
            inputs.push(event)
        wait_until(lambda: pumps[1].events == len(events), "the events")
        return {check.name: check for check in examine(*pumps, threading.Event(), limit_s)}

    yield run
    for pump in pumps:
        pump.close()


def test_a_working_set_up(look):
    key, motion = InputEvent(now_ns(), EventKind.KEY, 17, 1), InputEvent(now_ns(), EventKind.MOTION, x=1)
    checks = look(SyntheticScreen((64, 48)), key, motion)
    assert {check.outcome for check in checks.values()} == {Outcome.OK}
    assert "64 × 48" in checks["picture"].text
    assert refusal(list(checks.values())) == ""


def test_devices_that_were_not_heard_are_a_warning(look):
    checks = look(SyntheticScreen((64, 48)))
    assert checks["keyboard"].outcome is checks["pointer"].outcome is Outcome.WARNING
    assert refusal(list(checks.values())) == ""


def test_a_black_picture_fails_with_what_to_do(look):
    checks = look(BlackScreen())
    assert checks["picture"].outcome is Outcome.FAILED
    assert "borderless" in refusal(list(checks.values()))


def test_a_picture_that_comes_late_passes(look):
    assert look(BlackScreen(shown=2), limit_s=10)["picture"].outcome is Outcome.OK


def test_a_take_refuses_and_records_anyway_on_demand(tmp_path):
    with Store.open(tmp_path / "library") as store:
        order = Order(game="g", player="ann", capture=CaptureSpec(rate_hz=30), duration_s=0.3)
        with pytest.raises(CaptureUnavailable, match="nothing but black"):
            Take(store, order, BlackScreen(), SyntheticInputs()).run()
        assert list(store.sessions_dir.iterdir()) == []
        anyway = Order(game="g", player="ann", capture=CaptureSpec(rate_hz=30), duration_s=0.3, anyway=True)
        take = Take(store, anyway, BlackScreen(), SyntheticInputs())
        assert take.run().summary.grade == "bad"
        assert refusal(take.checks)
