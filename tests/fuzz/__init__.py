"""Parsers of strangers' files, fed with bytes that a coverage-guided fuzzer thinks of: `python -m fuzz TARGET --seconds 600`."""
