"""A policy's worth in play: episodes in a game, beside players that look at nothing and one that shows how it is done."""
