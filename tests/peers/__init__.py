"""What other tools make of our exports, and we of what they write: their own code, in an environment of their own (`make peers`)."""
