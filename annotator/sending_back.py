"""Sending sessions back to whoever labelled them, with the reason as a comment on the whole session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from annotator.bulk import Deed, Outcome
from db.errors import PlaytapeError
from db.labelling.labels import Edit, LabelKind, Review
from db.store import Store


def send_back(
    store: Store,
    session_ids: Sequence[str],
    author: str,
    comment: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Rejects each session, and leaves the comment (where there is one) on all its frames.

    One that refuses stops none of the others. `annotator.bulk.undo` takes it back, comments included.
    """
    outcome, text = Outcome(Deed.REJECT), " ".join(comment.split())
    for number, session_id in enumerate(session_ids):
        if cancelled():
            break
        try:
            frames = store.summary(session_id).frames
            outcome.edits.append(store.set_review(session_id, Review.REJECTED, author))
            if text:
                said = Edit(
                    session_id=session_id, kind=LabelKind.COMMENT, start=0, stop=frames, value=text, author=author
                )
                store.commit([said])
                outcome.edits.append(said)
        except PlaytapeError as error:
            outcome.refused[session_id] = str(error)
        else:
            outcome.done.append(session_id)
        progress(number + 1, len(session_ids))
    return outcome
