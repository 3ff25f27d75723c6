"""One session on disk: its facts as they are written, read, judged, corrected, put in order and destroyed."""
