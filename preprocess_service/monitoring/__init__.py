"""What is seen of this service while it runs: figures, their history, traces."""
