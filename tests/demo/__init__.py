"""The whole loop on a real game: record, label, train, evaluate, play, report. `make demo` runs it."""
