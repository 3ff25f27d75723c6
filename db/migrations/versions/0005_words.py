"""The words of every session in a table of their own, in place of an index over single labels."""

from __future__ import annotations

from alembic import op

from db.library import textindex
from db.library.labelindex import searched_labels

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TABLE IF EXISTS label_text")
    textindex.create(op.get_bind())
    textindex.refill(op.get_bind(), searched_labels(op.get_bind()))
    op.create_index("ix_label_facets", "label", ["kind", "suggested", "value", "session_id"])
