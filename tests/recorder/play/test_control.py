"""Who is in control, decided on events alone."""

from __future__ import annotations

import pytest

from db.clock import now_ns
from db.recording.events import EventKind, InputEvent
from db.recording.keys import BTN_LEFT, CODES
from recorder.hotkeys import Hotkey
from recorder.inputs.injection import Injection
from recorder.play.control import MODEL, PERSON, REACH_NS, Control, Mode
from recorder.play.instructions import Instructions
from recorder.play.ledger import Ledger
from recorder.play.ownkeys import Word, digit_key
from recorder.play.play import deeds

W, A, SHIFT, CTRL, ALT, ONE, TWO, ENTER, F11, F12 = (
    CODES[f"KEY_{name}"] for name in ("W", "A", "LEFTSHIFT", "LEFTCTRL", "LEFTALT", "1", "2", "ENTER", "F11", "F12")
)


def event(code, value, *, simulated=True):
    return InputEvent(now_ns(), EventKind.KEY, code, value, simulated=simulated)


def test_the_ledger_answers_once_for_each_event():
    ledger = Ledger()
    for injection in (Injection(now_ns(), W, 1), Injection(now_ns(), 0, 0, 3, -1), Injection(now_ns(), W, 0)):
        ledger.add(injection)
    assert not ledger.claim(event(A, 1))
    assert not ledger.claim(event(W, 1, simulated=False))
    assert ledger.claim(event(W, 1))
    assert not ledger.claim(event(W, 1))
    assert ledger.claim(event(W, 0))  # the motion between was swallowed
    assert not ledger.claim(InputEvent(now_ns(), EventKind.MOTION, x=3, y=-1, simulated=True))


class Hands:
    """An injector without a display."""

    def __init__(self):
        self.down = frozenset()

    def knows(self, code):
        return code != 999

    def hold_exactly(self, codes):
        self.down = codes

    def release_all(self):
        self.down = frozenset()

    def move(self, dx, dy):
        pass


class Nobody:
    def expect(self, codes):
        pass


class Table:
    """A model's hands, its game, and a person's keyboard."""

    def __init__(self, **more):
        self.hands, self.focused, self.panics = Hands(), True, 0
        self.instructions = Instructions("walk")
        words = (Word(digit_key("1"), "shoot"), Word(Hotkey(CODES["KEY_F5"]), "run"))
        own = deeds(
            lambda: self.control, self.instructions, words, on_panic=self._panic, **({"can_type": True} | more)
        )  # fmt: skip
        self.control = Control(self.hands, Nobody(), own, lambda: self.focused)
        self.control.look()

    def _panic(self):
        self.panics += 1

    def press(self, *codes):
        for code in codes:
            self.control.notice(event(code, 1))

    def release(self, *codes):
        for code in codes:
            self.control.notice(event(code, 0))

    def tap(self, *codes):
        self.press(*codes)
        self.release(*reversed(codes))

    def move(self, t_ns=None):
        self.control.notice(InputEvent(now_ns() if t_ns is None else t_ns, EventKind.MOTION, x=4))

    def focus(self, on):
        self.focused = on
        self.control.look()

    @property
    def mode(self):
        return self.control.mode


@pytest.fixture
def table():
    made = Table()
    assert made.control.hold(frozenset({W, SHIFT}))
    return made


def test_control_changes_hands():
    table = Table()
    table.focus(False)
    assert table.mode is Mode.AWAY
    assert not table.control.hold(frozenset({W}))
    table.focus(True)
    assert table.control.hold(frozenset({W, F12, 999}))
    assert table.hands.down == {W}
    table.press(A)
    assert (table.mode, table.control.take_overs, table.hands.down) == (Mode.PERSON, 1, frozenset())
    table.focus(False)
    table.focus(True)
    assert table.mode is Mode.PERSON
    table.press(F11)
    assert table.mode is Mode.MODEL
    table.release(F11, A)
    assert table.mode is Mode.MODEL, "letting go of what was held before is no take-over"
    table.press(F12)
    assert table.panics == 1
    assert table.mode is Mode.OVER
    table.control.give_back()
    assert not table.control.hold(frozenset({W}))


@pytest.mark.parametrize("kind", [EventKind.MOTION, EventKind.SCROLL])
def test_a_movement_takes_over(table, kind):
    table.control.notice(InputEvent(now_ns(), kind, x=1))
    assert (table.mode, table.control.take_overs, table.hands.down) == (Mode.PERSON, 1, frozenset())


def test_what_the_model_did_itself_takes_nothing_over(table):
    table.control.notice(InputEvent(now_ns(), EventKind.KEY, W, 1, actor=MODEL))
    assert (table.mode, table.hands.down) == (Mode.MODEL, {W, SHIFT})


def test_an_own_key_with_modifiers_is_no_take_over(table):
    table.press(CTRL)
    assert table.hands.down == frozenset(), "until it is known what it will be, the model lets go"
    table.press(ALT, ONE)
    assert table.instructions.text == "shoot"
    assert table.mode is Mode.PERSON, "while Ctrl and Alt are down the model must press nothing"
    table.release(ONE, ALT)
    assert table.mode is Mode.PERSON
    table.release(CTRL)
    assert (table.mode, table.control.take_overs) == (Mode.MODEL, 0)


def test_a_plain_own_key_changes_the_instruction_and_nothing_else(table):
    table.tap(CODES["KEY_F5"])
    assert table.instructions.text == "run"
    assert (table.mode, table.control.take_overs, table.hands.down) == (Mode.MODEL, 0, {W, SHIFT})


def test_an_own_key_leaves_a_person_in_control(table):
    table.tap(A)
    table.tap(CTRL, ALT, ONE)
    assert table.instructions.text == "shoot"
    assert (table.mode, table.control.take_overs) == (Mode.PERSON, 1)


@pytest.mark.parametrize("others", [(A,), (TWO,)])
def test_modifiers_that_come_to_something_else_took_over(table, others):
    table.press(CTRL, ALT, *others)
    table.release(*others, ALT, CTRL)
    assert (table.mode, table.control.take_overs) == (Mode.PERSON, 1)
    table.tap(CTRL, ALT, ONE)
    assert table.mode is Mode.PERSON


def test_a_modifier_alone_took_over(table):
    table.tap(CTRL)
    table.tap(CTRL, ALT, ONE)
    assert (table.mode, table.control.take_overs) == (Mode.PERSON, 1)


def test_typing_pauses_and_takes_nothing_over(table):
    table.tap(CTRL, ALT, ENTER)
    assert (table.mode, table.control.take_overs, table.hands.down) == (Mode.PAUSED, 0, frozenset())
    assert not table.control.hold(frozenset({W}))
    table.focus(False)
    table.tap(A)
    table.move()
    table.press(ENTER)
    table.control.end_typing()
    assert table.mode is Mode.AWAY
    table.focus(True)
    assert table.mode is Mode.MODEL
    table.release(ENTER)
    assert (table.mode, table.control.take_overs) == (Mode.MODEL, 0)


def test_going_to_the_overlay_by_mouse_takes_nothing_over(table):
    table.move()
    table.tap(BTN_LEFT)
    assert table.mode is Mode.PERSON
    table.control.begin_typing()
    table.control.end_typing()
    assert (table.mode, table.control.take_overs) == (Mode.MODEL, 0)


def test_who_played_by_mouse_and_types_later_stays_in_control(table):
    table.move(t_ns=now_ns() - REACH_NS - 1)
    table.control.begin_typing()
    assert table.mode is Mode.PAUSED
    table.control.end_typing()
    assert (table.mode, table.control.take_overs) == (Mode.PERSON, 1)


def test_without_an_overlay_nothing_pauses():
    table = Table(can_type=False)
    table.tap(CTRL, ALT, ENTER)
    assert (table.mode, table.control.take_overs) == (Mode.PERSON, 1)


def test_the_key_that_gives_back_ends_typing_too(table):
    table.control.begin_typing()
    table.press(F11)
    assert table.mode is Mode.MODEL


def test_the_panic_key_works_with_anything_held(table):
    table.press(CTRL, SHIFT, F12)
    assert table.mode is Mode.OVER
    assert table.panics == 1


def test_the_actor_of_an_event():
    table = Table()
    injection = Injection(now_ns(), W, 1)
    table.hands.on_send(injection)
    assert table.control.attribute(event(W, 1)) == MODEL
    assert table.control.attribute(event(W, 1)) == PERSON
