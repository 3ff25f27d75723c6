"""The card at the end of a sitting: what it says of real sessions, and what its buttons do."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QLabel, QWidget

from db.recording.consent import Consent
from db.recording.qa import Grade, judge
from db.store import Store
from recorder.states import EndReason
from recorder.status import Result
from recorder.ui.theme import DARK, LIGHT, wear
from recorder.ui.verdict.filmstrip import COUNT
from recorder.ui.verdict.grade_mark import GradeMark
from recorder.ui.verdict.verdict import VerdictCard
from recordings import Take, barcode, frame_times

LONG = frame_times(60, 100_000_000)
TEN_HZ = Take().capture.model_copy(update={"rate_hz": 10.0})


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def themed(request, qapp):
    wear(qapp, request.param)
    yield request.param
    wear(qapp, LIGHT)


@pytest.fixture
def library(tmp_path):
    return tmp_path / "library"


@pytest.fixture
def made(library):
    """Records sessions into the library and gives their results, as a sitting does."""

    def make(*takes: Take, **changed) -> list[Result]:
        with Store.open(library) as store:
            results = []
            for take in takes:
                meta = take.meta().model_copy(update=changed)
                take.write(store.create_session(meta), meta)
                results.append(Result(store.enter(meta.id), EndReason.STOPPED, "", 0))
            return results

    return make


@pytest.fixture
def card(qtbot):
    widget = VerdictCard()
    widget.resize(1100, 720)
    qtbot.addWidget(widget, before_close_func=lambda card: card.close_pictures())
    return widget


def good(**more) -> Take:
    return Take(times_ns=LONG, capture=TEN_HZ, **more)


def black() -> Take:
    return good(events=[], picture=lambda number: np.zeros_like(barcode(number)))


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget) and label.text()]


def pixels(widget: QWidget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    raw = image.constBits()
    raw.setsize(image.sizeInBytes())
    return np.frombuffer(raw, np.uint8).reshape(image.height(), image.width(), 4).copy()


def test_a_good_session(card, made, library, themed, qtbot):
    consent = Consent(person="ann", licence="CC0-1.0", text_sha256="", given_at="")
    results = made(good(), consent=consent, dropped_frames=1)
    assert card.isHidden()
    card.show_results(results, library)
    assert not card.isHidden()
    said = texts(card)
    assert said[:2] == ["Good", f"All {len(results[0].summary.verdict.rules)} checks passed."]
    assert {"0:06", "60", "1", "64×48", "CC0-1.0"} <= set(said)
    assert any(text.startswith("Mouse moved in") for text in said)
    assert card.rules.fold.text() == f"▸  {len(results[0].summary.verdict.rules)} checks passed"
    assert card.accessibleName() == "Verdict: good"
    blank = pixels(card.filmstrip)
    qtbot.waitUntil(lambda: card.filmstrip.complete)
    assert not np.array_equal(pixels(card.filmstrip), blank)


def test_what_failed_comes_first_and_what_passed_is_a_click_away(card, made, library, themed):
    verdict = made(black())[0].summary.verdict
    card.show_results(made(black()), library)
    said = texts(card)
    assert said[0] == "Bad"
    assert said[1] == f"{verdict.reasons[0]} And {len(verdict.reasons) - 1} more things to look at."
    shown = texts(card.rules)
    assert shown == verdict.reasons
    card.rules.fold.click()
    assert texts(card.rules) == verdict.reasons + [rule.text for rule in verdict.rules if rule.ok]
    card.rules.fold.click()
    assert texts(card.rules) == verdict.reasons
    assert "No key and no button was pressed." not in said  # the chart says it itself
    assert card.keys.accessibleDescription() == "none"


def test_grades_differ_in_shape_as_well_as_in_colour(qtbot, themed):
    looks = []
    for grade in Grade:
        mark = GradeMark(48)
        qtbot.addWidget(mark)
        mark.show_grade(grade)
        colour = np.array(QColor(themed.grade(grade.value)).getRgb()[2::-1])
        looks.append((np.abs(pixels(mark)[..., :3] - colour.astype(int)) < 20).all(axis=2))
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert (looks[one] != looks[other]).mean() > 0.05


def test_the_sessions_of_a_sitting_are_a_step_apart(card, made, library):
    results = made(good(), black(), good(game="other"))
    card.show_results(results, library)
    assert card.session_id == results[1].summary.id  # what is not good is seen first
    assert "session 2 of 3" in texts(card)
    assert card.keep.text() == "Keep all"
    card._back.click()
    assert card.session_id == results[0].summary.id
    assert not card._back.isEnabled()
    card._on.click()
    card._on.click()
    assert card.session_id == results[2].summary.id
    assert not card._on.isEnabled()
    card.show_results(results[:1], library)
    assert not any("of 1" in text for text in texts(card))


def test_keeping_and_annotating(card, made, library, qtbot):
    results = made(good())
    card.show_results(results, library)
    with qtbot.waitSignal(card.annotate) as told:
        card.open.click()
    assert told.args == [results[0].summary.id]
    assert card.keep.isDefault()
    with qtbot.waitSignal(card.kept):
        qtbot.keyClick(card.keep, Qt.Key.Key_Space)
    assert card.isHidden()
    with Store.open(library) as store:
        assert len(store.search()) == 1


def test_discarding_takes_two_steps_and_is_for_good(card, made, library, qtbot):
    results = made(good(), good())
    card.show_results(results, library)
    card.discard.click()
    assert "Discard this session for good? It cannot be brought back." in texts(card)
    card.no.click()
    with Store.open(library) as store:
        assert len(store.search()) == 2
    card.discard.click()
    with qtbot.waitSignal(card.discarded) as told:
        card.yes.click()
    assert told.args == [results[0].summary.id]
    assert card.session_id == results[1].summary.id
    with Store.open(library) as store:
        assert [summary.id for summary in store.search()] == [results[1].summary.id]
        assert not (store.sessions_dir / results[0].summary.id).exists()
    card.discard.click()
    with qtbot.waitSignals([card.discarded, card.kept]):
        card.yes.click()
    assert card.isHidden()
    with Store.open(library) as store:
        assert store.search() == []


def test_a_discard_that_fails_is_told_in_the_card(card, made, library, qtbot):
    results = made(good())
    card.show_results(results, library)
    with Store.open(library) as store:
        store.delete(results[0].summary.id)
    card.discard.click()
    card.yes.click()
    qtbot.waitUntil(lambda: any(text.startswith("There is no session") for text in texts(card)))
    assert card.yes.isEnabled()
    card.no.click()
    assert not card.isHidden()


def test_a_session_that_cannot_be_read_has_no_pictures_and_nothing_else_is_lost(card, made, library, qtbot):
    results = made(good(), black())
    (library / "sessions" / results[0].summary.id / "video-000.mkv").write_bytes(b"junk")
    card.show_results(results[:1], library)
    assert texts(card)[0] == "Good"
    card.show_results(results[1:], library)
    qtbot.waitUntil(lambda: card.filmstrip.complete)


def test_a_verdict_without_figures_has_no_charts(card, made, library, monkeypatch):
    """As an earlier Playtape gave it."""
    monkeypatch.setattr(
        "db.library.catalogue.judge", lambda recording: judge(recording).model_copy(update={"figures": None})
    )
    result = replace(made(good())[0], message="The window was closed.")
    card.show_results([result], library)
    assert not card.histogram.isVisibleTo(card)
    assert {"The window was closed.", "none given"} <= set(texts(card))


def test_a_session_of_one_frame(card, made, library, qtbot):
    card.show_results(made(Take(times_ns=LONG[:1], capture=TEN_HZ, events=[])), library)
    assert texts(card)[0] == "Bad"
    qtbot.waitUntil(lambda: card.filmstrip.complete)
    assert len(card.filmstrip._pictures) == COUNT


def test_closing_while_pictures_are_made(made, library, qtbot):
    widget = VerdictCard()
    qtbot.addWidget(widget)
    widget.show_results(made(good()), library)
    widget.close_pictures()


def test_every_picture_of_the_card_is_drawn_in_both_themes(card, made, library, themed, qtbot):
    card.show_results(made(good(), black()), library)
    qtbot.waitUntil(lambda: card.filmstrip.complete)
    assert pixels(card).std() > 5
    card.resize(560, 420)  # a small window
    assert pixels(card).std() > 5
