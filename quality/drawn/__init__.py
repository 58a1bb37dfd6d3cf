"""Pages drawn by code, with their truth: what is measured where no labelled folder is named."""
