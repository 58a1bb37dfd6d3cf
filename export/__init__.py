"""From a published model to a self-describing ONNX file in the model repository."""
