"""What is pressed and moved: one Protocol (`source`), a back end a file, a synthetic fake beside them, and the gate
that lets through only what was meant for the recorded window.
"""
