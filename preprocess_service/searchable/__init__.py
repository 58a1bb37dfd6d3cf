"""A document that was read → a PDF whose pages can be searched."""
