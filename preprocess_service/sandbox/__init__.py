"""Child processes that work on strangers' files: the pool, the messages, and the limits."""
