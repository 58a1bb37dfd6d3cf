"""A document → its pages as read: what the upload is, the pipeline, its budget and its cache."""
