"""Trains inverse-dynamics models and policies from curated sessions. The only package that imports torch."""
