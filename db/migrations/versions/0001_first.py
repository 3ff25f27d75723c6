"""People, sessions and the edit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("group_id", sa.String(100), nullable=False, index=True),
        sa.Column("game", sa.String(200), nullable=False, index=True),
        sa.Column("player", sa.String(100), nullable=False, index=True),
        sa.Column("started_at", sa.DateTime, nullable=False, index=True),
        sa.Column("duration_ns", sa.BigInteger, nullable=False),
        sa.Column("frames", sa.BigInteger, nullable=False),
        sa.Column("width_px", sa.BigInteger, nullable=False),
        sa.Column("height_px", sa.BigInteger, nullable=False),
        sa.Column("rate_hz", sa.Float, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("end_reason", sa.Text, nullable=False),
        sa.Column("grade", sa.String(20), nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("review", sa.String(20), nullable=False, index=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("verified_at", sa.DateTime, nullable=True),
    )
    op.create_table(
        "edit",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("session_id", sa.String(36), sa.ForeignKey("session.id"), nullable=False),
        sa.Column("entity_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("start", sa.BigInteger, nullable=True),
        sa.Column("stop", sa.BigInteger, nullable=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("suggested", sa.Boolean, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("parent", sa.String(36), nullable=True, index=True),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_edit_session_entity", "edit", ["session_id", "entity_id"])
