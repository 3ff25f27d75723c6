"""Sessions that their players took back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "withdrawal",
        sa.Column("session_id", sa.String(36), sa.ForeignKey("session.id"), primary_key=True),
        sa.Column("player", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
