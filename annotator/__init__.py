"""The annotator: label recorded sessions frame by frame, and the library window from which everything starts."""
