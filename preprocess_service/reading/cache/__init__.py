"""Documents kept for equal requests: in memory, in Redis and on disk."""
