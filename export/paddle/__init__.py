"""Paddle inference models: converted and asked in environments of their own."""
