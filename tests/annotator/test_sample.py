"""The session that comes with Playtape: whole, small, labelled, and nothing that is trained on by itself."""

from __future__ import annotations

from importlib import resources

from annotator.sample import FILE, bring_sample
from annotator.ui.library.library_window import LibraryWindow
from db.labelling.labels import LabelKind, Review, spans

MOST_BYTES = 1_500_000


def test_the_sample_is_whole_and_has_one_of_everything(store) -> None:
    assert (resources.files("annotator.sample") / FILE).stat().st_size < MOST_BYTES
    assert "Freedoom" in (resources.files("annotator.sample") / "NOTICE").read_text(encoding="utf-8")
    session_id = bring_sample(store)
    line = store.summary(session_id)
    assert (line.game, line.review) == ("Sample", Review.LABELLED)
    assert store.verify(session_id) == []
    found = spans(store.edits(session_id))
    assert {LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.COMMENT} <= {span.kind for span in found}
    assert [span.suggested for span in found].count(True) == 1
    recording = store.recording(session_id)
    assert recording.resolve().presses.sum() > 20
    assert recording.meta.machine == {}
    assert store.search(review=Review.ACCEPTED) == []


def test_it_comes_back_from_the_trash_and_after_it_was_deleted(store) -> None:
    session_id = bring_sample(store)
    store.trash(session_id)
    assert bring_sample(store) == session_id
    assert [line.id for line in store.search()] == [session_id]
    store.delete(session_id)
    assert bring_sample(store) == session_id
    assert len(store.search()) == 1


def test_an_empty_library_offers_it(store, qtbot) -> None:
    window = LibraryWindow(store, "ann")
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.empty)
    window.actions_by_name["sample"].trigger()
    qtbot.waitUntil(lambda: window.annotator is not None and window.annotator.editing is not None)
    qtbot.waitUntil(lambda: window.sessions.current == window.annotator.editing.session_id)
    assert window.pages.currentWidget() is window.browse
    window.annotator.close()
