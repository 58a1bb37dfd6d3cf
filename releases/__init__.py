"""Numbered releases: staged, gated, promoted, rolled back."""
