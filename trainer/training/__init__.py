"""Training: the loop, one step of it, checkpoints, runs, and pipelines of runs."""
