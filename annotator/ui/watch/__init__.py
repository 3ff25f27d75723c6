"""The frame-exact player, the picture and what is drawn over it."""
