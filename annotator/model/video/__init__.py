"""Frames of a session: decoded ahead, at any pace, and from a small copy."""
