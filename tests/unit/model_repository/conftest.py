"""Triton puts a model's version folder on `sys.path`; so do these tests."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3] / "model_repository"
for step in ("page_reading", "image_decoding"):
    sys.path.append(str(REPOSITORY / step / "1"))
