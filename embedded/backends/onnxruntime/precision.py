"""In which precision OpenVINO computes a model: as told, else the fastest here, by measurement.

A processor's flags do not tell: one with bf16 instructions took 1.75 times as long in bf16 as in
f32, another (2 times the bf16 throughput) half as long. So each precision that is possible runs a
few times when a model is first loaded on a machine, and the choice is kept.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from embedded.backends.onnxruntime.options import Accelerator, OptionError

FOLDER_VARIABLE = "OPENVINO_TUNING_DIR"
"""The environment variable that names the folder where choices are kept; without it none is."""

_WISHES = {"FP32": "f32", "BF16": "bf16", "INT8": "int8"}
_RUNS = 5
# Less than this share of the time saved is within the noise: the more exact precision stays.
_WORTHWHILE = 0.9

Run = Callable[[], object]


def candidates(
    accelerator: Accelerator, capabilities: Sequence[str], *, has_ranges: bool
) -> list[str]:
    """Return the precisions to choose from, the most exact first.

    Args:
        accelerator: The wish for OpenVINO; its `precision_mode` leaves one.
        capabilities: OpenVINO's `OPTIMIZATION_CAPABILITIES` of the processor.
        has_ranges: Whether the model's file carries what 8 bits need.

    Raises:
        OptionError: INT8 is told, and the file does not carry what it needs.
    """
    if wish := accelerator.parameters.get("precision_mode"):
        if wish == "INT8" and not has_ranges:
            raise OptionError("openvino: precision_mode INT8 needs a file with int8_ranges")
        return [_WISHES[wish]]
    bf16 = ["bf16"] if "BF16" in capabilities else []
    return ["f32", *bf16, *(["int8"] if has_ranges and "INT8" in capabilities else [])]


def choose(possible: Sequence[str], make_run: Callable[[str], Run], key: Mapping[str, Any]) -> str:
    """Return the fastest precision; measured once for a key, by processor time.

    Args:
        possible: The precisions, the most exact first.
        make_run: Precision → a function that runs the model once.
        key: All that the outcome depends on: the file, the processor, the library.
    """
    if len(possible) == 1:
        return possible[0]
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return _fastest(measure(possible, make_run))
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    path = Path(folder) / f"{digest}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        # Instances of one model start together: the first measures, the others read.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        with suppress(ValueError, KeyError):
            kept = json.loads(file.read())["milliseconds"]
            if set(kept) == set(possible):
                return _fastest({name: kept[name] for name in possible})
        found = measure(possible, make_run)
        file.truncate(0)
        file.write(json.dumps({**key, "milliseconds": found}, indent=1))
        return _fastest(found)


def measure(possible: Sequence[str], make_run: Callable[[str], Run]) -> dict[str, float]:
    """Return the least milliseconds of processor time of one run, by precision."""
    runs = {name: make_run(name) for name in possible}
    least = dict.fromkeys(possible, float("inf"))
    for _ in range(_RUNS + 1):
        for name, run in runs.items():
            started = time.process_time()
            run()
            least[name] = min(least[name], 1000 * (time.process_time() - started))
    return {name: round(value, 2) for name, value in least.items()}


def _fastest(milliseconds: Mapping[str, float]) -> str:
    best, *others = milliseconds
    for name in others:
        if milliseconds[name] < _WORTHWHILE * milliseconds[best]:
            best = name
    return best
