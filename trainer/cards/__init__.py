"""Model cards: what was measured of a model, for a terminal and as one page that can be read and printed anywhere."""
