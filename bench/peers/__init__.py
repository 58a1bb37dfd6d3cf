"""The peers: one adapter each, run by `worker` in an environment of their own.

Modules here import nothing of the project's own environment beyond `quality.items` and
`quality.predictions`, which need the standard library alone.
"""
