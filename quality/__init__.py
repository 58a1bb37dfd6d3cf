"""How well pages are read: labelled and drawn pages, what engines answered, and its score."""
