"""Runs migrations on the connection that `db.library.index` hands over; there is no offline mode."""

from __future__ import annotations

from alembic import context

from db.library.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # SQLite's is, since `db.library.index` and not the driver begins the transaction
)
with context.begin_transaction():
    context.run_migrations()
