"""The recorder's states: which ways there are, and that none is a dead end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.states import AFTER, TRANSITIONS, EndReason, Machine, PauseReason, Signal, State


def follow(machine, signal):
    after = TRANSITIONS.get((machine.state, signal))
    machine.fire(signal, PauseReason.USER if after is State.PAUSED else None)


@given(st.lists(st.sampled_from(list(Signal)), max_size=60))
def test_only_the_listed_ways_exist(signals):
    machine = Machine()
    for signal in signals:
        wanted = TRANSITIONS.get((machine.state, signal))
        if wanted is None:
            before = machine.state
            with pytest.raises(AssertionError):
                follow(machine, signal)
            assert machine.state is before
        else:
            follow(machine, signal)
            assert machine.state is wanted
        assert (machine.pause is not None) == (machine.state is State.PAUSED)


def test_every_state_is_reached_and_left_for_idle():
    reached, leads_home = {State.IDLE}, {State.IDLE}
    for _ in State:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
        leads_home |= {before for (before, _), after in TRANSITIONS.items() if after in leads_home}
    assert reached == leads_home == set(State)


def test_nothing_recorded_is_left_but_by_finalising():
    ways = {after for (before, _), after in TRANSITIONS.items() if before is State.RECORDING}
    assert ways == {State.PAUSED, State.FINALISING}


def test_a_change_is_told_once():
    told = []
    machine = Machine(told.append)
    machine.fire(Signal.START)
    machine.fire(Signal.WAIT, PauseReason.UNFOCUSED, "elsewhere")
    machine.fire(Signal.WAIT, PauseReason.UNFOCUSED, "elsewhere")
    machine.fire(Signal.WAIT, PauseReason.IDLE, "nobody")
    machine.fire(Signal.BEGIN)
    assert told == [State.STARTING, State.PAUSED, State.PAUSED, State.RECORDING]
    assert machine.reason == ""


@pytest.mark.parametrize(
    "reason", [EndReason.STOPPED, EndReason.WINDOW_LOST, EndReason.DISPLAY_LOST, EndReason.DISK_FULL]
)
def test_what_ends_the_sitting(reason):
    assert reason not in AFTER
