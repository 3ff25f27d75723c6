"""The floor of Playtape: its nouns, its clock and its store. Imports no sibling, no Qt and no torch."""
