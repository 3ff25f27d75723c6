"""Alembic's migrations of the index. Session files are never migrated: readers accept every older format."""
