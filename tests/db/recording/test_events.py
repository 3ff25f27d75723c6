from __future__ import annotations

from db.recording.events import EVENT_DTYPE, ActorKind, EventKind, InputEvent, Origin, to_array
from recordings import KEY_A, KEY_W, key, move


def test_a_row_has_the_order_of_the_dtype() -> None:
    event = InputEvent(
        1, EventKind.KEY, code=2, value=1, x=3, y=4, x2=5, y2=6, origin=Origin.CLOSING, simulated=True, actor=7, device=8,
        server_ms=9,
    )  # fmt: skip
    row = to_array([event])[0]
    for name in EVENT_DTYPE.names or ():
        assert row[name] == getattr(event, name), name


def test_arrays_are_ordered_by_time_and_stable() -> None:
    events = [key(5, KEY_W, 1), key(3, KEY_A, 1), key(5, KEY_W, 0), move(1, 1, 1)]
    array = to_array(events)
    assert array["t_ns"].tolist() == [1, 3, 5, 5]
    assert array["value"].tolist() == [0, 1, 1, 0]
    assert len(to_array([])) == 0


def test_every_actor_has_its_own_bit() -> None:
    assert sorted(kind.bit for kind in ActorKind) == [1, 2, 4]
