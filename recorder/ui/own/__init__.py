"""One's own sessions and what one may do with them."""
