"""What is being annotated and how it changes, without Qt: document, commands, history, navigation and lanes."""
