"""Choosing what to record: windows, monitors, regions, and the game's profile."""
