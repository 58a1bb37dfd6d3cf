"""Pixels in, lines out: the engine's interface and its Triton implementation."""
