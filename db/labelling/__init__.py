"""What people and models say about sessions: labels, the log of their edits, and how far readers agree."""
