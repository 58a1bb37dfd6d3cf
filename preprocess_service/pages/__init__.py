"""An uploaded file → its pages, as pixels or as their own text."""
