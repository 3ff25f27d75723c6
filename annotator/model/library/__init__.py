"""What the library window shows besides the list: queues, words, figures, runs and models."""
