"""What is seen while recording."""
