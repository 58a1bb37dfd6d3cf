"""A folder or bucket of documents, read by one of many equal processes: shards, resumable."""
