"""The recorder's window: it shows the same pipeline that runs without one, and adds nothing to it."""
