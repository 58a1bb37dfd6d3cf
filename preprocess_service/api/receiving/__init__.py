"""The body of a request: its limits, its form, its options, its submission."""
