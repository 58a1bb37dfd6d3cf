"""Accuracy and speed of this server beside its peers, measured in one run."""
