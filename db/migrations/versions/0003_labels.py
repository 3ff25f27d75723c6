"""The labels in force beside the log of edits, findable by their words; sessions in the trash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.library import textindex

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("trashed_at", sa.DateTime, nullable=True))
    op.create_table(
        "label",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("entity_id", sa.String(36), nullable=False),
        sa.Column("edit_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), sa.ForeignKey("session.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("start", sa.BigInteger, nullable=True),
        sa.Column("stop", sa.BigInteger, nullable=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("suggested", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_label_entity_id", "label", ["entity_id"], unique=True)
    op.create_index("ix_label_kind_value", "label", ["kind", "value"])
    textindex.create(op.get_bind())  # filled by the next revision, since filling reads columns that are made there
