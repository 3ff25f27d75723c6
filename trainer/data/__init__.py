"""From curated sessions to training batches: which are in, what was frozen of them, and clips of model size."""
