"""What a model is worth: predictions, figures, baselines, causality and latency."""
