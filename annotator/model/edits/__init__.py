"""Everything that changes a document, as commands with undo, and what they may not do to each other."""
