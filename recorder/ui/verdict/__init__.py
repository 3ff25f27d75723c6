"""What is said of a session when it is done."""
