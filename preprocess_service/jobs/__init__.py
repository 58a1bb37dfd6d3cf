"""Documents that are read after the answer: durable, at least once, each result once."""
