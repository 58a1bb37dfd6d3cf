"""Each test draws FUZZ_RUNS inputs (`make fuzz RUNS=…`); without it few, and always the same."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).parents[2] / "model_repository"
for step in ("page_reading", "image_decoding"):
    sys.path.append(str(REPOSITORY / step / "1"))

RUNS = int(os.environ.get("FUZZ_RUNS", "0"))
settings.register_profile(
    "fuzz",
    max_examples=RUNS or 40,
    derandomize=not RUNS,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("fuzz")
