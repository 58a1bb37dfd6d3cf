"""The local stack: the genuine Triton server from a wheel, assembled and supervised."""
