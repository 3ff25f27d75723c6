"""What becomes of an accepted session whose labels are changed: it waits for review again, by the same step.

Somebody accepted what stood there then. So the change and the review state are one transaction and one step of undo, and
undo brings the acceptance back only where every label is again what it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from annotator.model.document import Content, Delta, Document
from db.labelling.labels import LabelKind, Review

TRAINED_ON = (LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM, LabelKind.ACTION)


def reopening(document: Document, deltas: Iterable[Delta]) -> tuple[Delta, ...]:
    """The change of the review state that goes with these; none where the session is not accepted or no label changes.

    Suggestions, comments, notes, tags and whom it is assigned to are no labels.
    """
    listed = list(deltas)
    head = document.review_head
    if head is None or document.review is not Review.ACCEPTED or any(d.after.kind is LabelKind.REVIEW for d in listed):
        return ()
    if all(_counting(delta.before) == _counting(delta.after) for delta in listed):
        return ()
    return (Delta(head.entity_id, Content.of(head), Content(LabelKind.REVIEW, Review.LABELLED.value)),)


def has_changed(document: Document, since: int, but: frozenset[str]) -> bool:
    """Whether labels other than `but` are not what they were when the document knew `since` edits."""
    return any(
        entity_id not in but
        and document.arrival(entity_id) >= since
        and _counting(content) != _counting(document.content_at(entity_id, since))
        for kind in TRAINED_ON
        for entity_id, content in document.contents(kind).items()
    )


def _counting(content: Content | None) -> tuple[object, ...] | None:
    """What training would take from a version of a label, None where it takes nothing."""
    if content is None or content.deleted or content.suggested or content.kind not in TRAINED_ON:
        return None
    return content.kind, content.value, content.start, content.stop
