"""Where things are: in a checkout, and on the machine of a local stack."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
MODEL_REPOSITORY = CHECKOUT / "model_repository"
"""In git the Python steps; beside them, once installed, what Triton serves."""

DOWNLOADS = CHECKOUT / ".cache" / "models"
"""Sources of models, and environments that exclude ours."""

TUNING = CHECKOUT / ".cache" / "tuning"
"""Which precision each model was found to be fastest in on this processor."""

TOOLS = CHECKOUT / ".tools" / "bin"
"""`uv`, which `make setup` puts there."""

HOST = "127.0.0.1"
PORT = 8000
SERVICE_URL = f"http://{HOST}:{PORT}"
"""Of the front service."""

TRITON_GRPC_PORT = 8001
TRITON_URL = f"{HOST}:{TRITON_GRPC_PORT}"
