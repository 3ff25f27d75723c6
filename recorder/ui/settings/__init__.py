"""Settings: hotkeys, encoder, preferences."""
