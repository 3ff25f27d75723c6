"""No word of a second reading that is not settled in what is searched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.library import textindex
from db.library.labelindex import searched_labels

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    if bind.execute(sa.text("SELECT 1 FROM label WHERE suggested AND source LIKE 'second:%' LIMIT 1")).first():
        textindex.refill(bind, searched_labels(bind))
