"""The list of sessions, searched in a thread of its own."""
