"""The front service: documents in, text out, with Triton doing the reading."""
