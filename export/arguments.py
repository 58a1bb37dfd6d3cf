"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_host(action: argparse.ArgumentParser) -> None:
    """Add what the serving host has."""
    action.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="(%(default)s)")
    action.add_argument(
        "--cores", type=positive, metavar="N", help="cores of the serving host (this machine's)"
    )
    action.add_argument(
        "--precision",
        choices=("auto", "FP32", "FP16", "BF16", "INT8"),
        help="what the models compute in (a CPU's fastest; on a GPU TENSORRT_PRECISION)",
    )
    action.add_argument(
        "--engine",
        choices=("onnxruntime", "tensorrt"),
        default="onnxruntime",
        help="what runs the models: on a GPU, onnxruntime's TensorRT provider, or plans, built "
        "here on the GPU that serves them (%(default)s)",
    )
    action.add_argument(
        "--engine-cache", metavar="FOLDER", help="for TensorRT engines, on the serving GPU host"
    )
    action.add_argument(
        "--anew", action="store_true", help="build and prove even what is up to date"
    )


def add_pages(action: argparse.ArgumentParser) -> None:
    """Add the user's own pages."""
    action.add_argument(
        "--pages", type=Path, metavar="FOLDER", help="images and PDFs to prove parity on as well"
    )


def positive(text: str) -> int:
    """Return a number of at least 1, as argparse's types do."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
