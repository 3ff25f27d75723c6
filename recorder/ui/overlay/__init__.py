"""The small window beside a game that a model plays: what it does, what it was told, and who is in control."""
