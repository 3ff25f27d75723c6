"""Steps of undo, the order in which edits came, what settles a conflict, and which labels are disputed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.library import textindex
from db.library.labelindex import refill

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edit", sa.Column("also", sa.Text, nullable=False, server_default=""))
    op.add_column("edit", sa.Column("step", sa.String(36), nullable=True))
    op.add_column("edit", sa.Column("step_name", sa.String(200), nullable=False, server_default=""))
    op.add_column("edit", sa.Column("reverts", sa.String(36), nullable=True))
    op.add_column("edit", sa.Column("place", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(
        "UPDATE edit SET place = ranked.place"
        " FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM edit) AS ranked WHERE ranked.id = edit.id"
    )
    op.create_index("ix_edit_entity_id", "edit", ["entity_id"])
    op.create_index("ix_edit_place", "edit", ["place"])
    op.create_index("ix_edit_session_place", "edit", ["session_id", "place"])
    op.create_index("ix_edit_author_step", "edit", ["author", "step"])
    op.create_table(
        "dispute",
        sa.Column("entity_id", sa.String(36), primary_key=True),
        sa.Column("session_id", sa.String(36), sa.ForeignKey("session.id"), nullable=False, index=True),
    )
    op.execute(
        "INSERT INTO dispute (entity_id, session_id) SELECT entity_id, min(session_id) FROM edit WHERE NOT EXISTS"
        " (SELECT 1 FROM edit AS later WHERE later.parent = edit.id) GROUP BY entity_id HAVING count(*) > 1"
    )
    bind = op.get_bind()
    if bind.execute(sa.text("SELECT 1 FROM label LIMIT 1")).first() is None:  # they were not kept before 0003
        if not sa.inspect(bind).has_table(textindex.NAME):
            textindex.create(bind)
        refill(bind)
