"""Read an image with Triton directly, over gRPC: `python examples/read_image.py page.png`."""

import sys
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton

image = np.array([Path(sys.argv[1]).read_bytes()], np.object_)
tensor = triton.InferInput("IMAGE", [1], "BYTES")
tensor.set_data_from_numpy(image)

address = sys.argv[2] if len(sys.argv) > 2 else "localhost:8001"
with triton.InferenceServerClient(address) as client:
    answer = client.infer("ocr", [tensor])

for text, confidence in zip(answer.as_numpy("TEXT"), answer.as_numpy("CONFIDENCE"), strict=True):
    print(f"{confidence:.2f}  {text.decode()}")
