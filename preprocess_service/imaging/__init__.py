"""From bytes to pixels, in processes that may die."""
