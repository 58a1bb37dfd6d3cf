"""TensorRT plans, built in an environment that has TensorRT."""
