"""The window in which one session is labelled, and what its keys do."""
