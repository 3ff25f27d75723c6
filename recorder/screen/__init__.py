"""What is seen: one Protocol (`source`), a back end a file, a synthetic fake beside them."""
