"""A policy plays: the recorder's pipeline with a policy that sees its frames and injects its answers."""
