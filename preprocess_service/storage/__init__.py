"""Uploads between their acceptance and the end of their retention."""
