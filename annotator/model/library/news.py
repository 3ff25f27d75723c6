"""What other people just did to a session, in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from annotator.model.document import Document
from db.labelling.labels import Edit, LabelKind

_LONGEST = 32


class News:
    """Tells of each version once. What the author of the document does is no news, nor what was there at the start."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._told: set[str] = set()

    def tell(self, entities: Iterable[str]) -> str:
        """A sentence on what others changed of these entities, such as "bob moved “walk on”"; "" where they did not."""
        fresh = []
        for entity_id in sorted(entities):
            head = self._document.head(entity_id)
            if head is None or head.author == self._document.author or head.id in self._told:
                continue
            self._told.add(head.id)
            if not self._is_nothing(head):
                fresh.append(head)
        if not fresh:
            return ""
        if len(fresh) == 1:
            return f"{fresh[0].author} {self._deed(fresh[0])}"
        counts = Counter(head.author for head in fresh)
        return ", ".join(f"{author} changed {_counted(count)}" for author, count in sorted(counts.items()))

    def _is_nothing(self, head: Edit) -> bool:
        """Whether it was not to be seen and still is not, such as what a second reader does."""
        before = self._document.version(head.entity_id, head.parent) if head.parent else None
        return head.deleted and (before is None or before.deleted)

    def _deed(self, head: Edit) -> str:
        before = self._document.version(head.entity_id, head.parent) if head.parent else None
        what = _noun(head)
        if head.deleted:
            return f"removed {what}"
        if before is None or before.deleted:
            return f"added {what}"
        if before.suggested and not head.suggested:
            return f"confirmed {what}"
        if head.kind.is_span and head.value == before.value and before.start is not None and head.start is not None:
            has_length = (head.stop or 0) - head.start == (before.stop or 0) - before.start
            return f"{'moved' if has_length else 'resized'} {what}"
        return f"changed {what}"


def _noun(edit: Edit) -> str:
    words = " ".join(edit.value.split())
    quoted = f"“{words[:_LONGEST]}{'…' if len(words) > _LONGEST else ''}”" if words else ""
    match edit.kind:
        case LabelKind.INSTRUCTION:
            return quoted or "an instruction"
        case LabelKind.FLAG | LabelKind.TAG:
            return f"the {edit.kind.value} {quoted}"
        case LabelKind.COMMENT:
            return f"the comment {quoted}"
        case LabelKind.REVIEW:
            return f"the review: {edit.value}"
        case LabelKind.ACTION:
            return "a correction of actions"
        case LabelKind.ASSIGNEE:
            return f"whom it is assigned to: {edit.value or 'nobody'}"
        case LabelKind.NOTE:
            return "a note"
        case LabelKind.TRIM:
            return "a trim"


def _counted(count: int) -> str:
    return f"{count} label{'s' * (count != 1)}"
