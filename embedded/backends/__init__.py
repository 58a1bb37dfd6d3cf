"""Backends that the server of the wheel lacks."""
