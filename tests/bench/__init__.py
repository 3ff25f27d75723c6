"""Measurements. Each prints what it measured; speeds are ratios to a reference run in the same call."""
