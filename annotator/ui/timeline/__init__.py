"""The timeline: rows of spans and lanes of keys and mouse, painted and worked on."""
