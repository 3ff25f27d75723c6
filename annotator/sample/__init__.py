"""The session that comes with Playtape, to look at before there is one of one's own."""

from __future__ import annotations

from importlib import resources

from db.errors import BadFile
from db.formats.interchange import import_session
from db.store import Store

FILE = "sample.playtape"


def bring_sample(store: Store) -> str:
    """Imports it as a session like any other, and out of the trash where it is there; gives its id.

    It is labelled and not accepted, so that nothing is trained on it by itself. Raises what `import_session` does, and
    BadFile where it is missing from the installation.
    """
    with resources.as_file(resources.files(__name__) / FILE) as path:
        if not path.is_file():
            raise BadFile("The sample session is missing; install Playtape again.")
        session_id = import_session(store, path).session_id
    if store.summary(session_id).trashed_at is not None:
        store.restore(session_id)
    return session_id
