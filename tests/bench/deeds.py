"""Hours to do much in at once: one full of what a model imputed, and one that two people have read alike."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from annotator.model.library.seat import Role, Seat
from bench.longsession import KEYS, Length, record_long
from db.labelling.labels import Edit, LabelKind, Review
from db.labelling.readings import source_of
from db.recording.corrections import ImputedCorrection, KeyCorrection
from db.store import Store
from recordings import FRAME_NS, START_NS

READER = "bob"
COMPARING = Seat(Role.COMPARE, READER)


@dataclass(frozen=True)
class Amount:
    """How much there is to do."""

    imputed: int = 600
    """Stretches of suggested inputs that fill the session."""
    confirmed: int = 300
    """How many of them a person has confirmed already."""
    places: int = 300
    """Labels that two people have made alike."""


def record_imputed(store: Store, length: Length, amount: Amount) -> str:
    """Records a session whose every frame a model has imputed, and returns its id."""
    session_id = record_long(store, length, seed=5)
    store.commit(list(_imputed(random.Random(11), session_id, length, amount)))
    return session_id


def _imputed(dice: random.Random, session_id: str, length: Length, amount: Amount) -> Iterator[Edit]:
    each = length.frames // amount.imputed
    for number in range(amount.imputed):
        start, keys = number * each, []
        for code in KEYS[:6]:
            down_ns = START_NS + (start + dice.randrange(each // 3)) * FRAME_NS
            keys.append(KeyCorrection(code=code, holds_ns=((down_ns, down_ns + each // 3 * FRAME_NS),)))
        moves = tuple((START_NS + (start + i) * FRAME_NS + 5, dice.gauss(0, 9), 0.0) for i in range(each - 1))
        said = ImputedCorrection(confidence=0.9, keys=tuple(keys), moves=moves)
        yield Edit(
            session_id=session_id,
            kind=LabelKind.ACTION,
            start=start,
            stop=start + each,
            value=said.model_dump_json(),
            author="ann",
            source="run:bench",
            suggested=number >= amount.confirmed,
        )


def record_read_twice(store: Store, length: Length, amount: Amount) -> str:
    """Records a session of which two people have said the same, and returns its id."""
    session_id = record_long(store, Length(length.frames, length.events, 100, length.size_px), seed=6)
    each = length.frames // amount.places
    spans = [(i * each + each // 2, i * each + each - each // 4) for i in range(amount.places)]

    def edits(person: str) -> Iterator[Edit]:
        source = source_of(person) if person == READER else "person"
        said = {"session_id": session_id, "author": person, "source": source, "suggested": person == READER}
        for start, stop in spans:
            yield Edit(kind=LabelKind.FLAG, start=start, stop=stop, value="read twice", **said)
        yield Edit(kind=LabelKind.REVIEW, value=Review.LABELLED.value, **said)

    for person in ("ann", READER):
        store.commit(list(edits(person)))
    return session_id
