"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Actions = argparse._SubParsersAction


def add_command(
    actions: Actions[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    """Add a command, which `run` does."""
    action = actions.add_parser(name, help=text, description=text)
    action.set_defaults(run=run)
    return action


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add where releases and models lie and where Triton answers."""
    places = (
        ("--releases", "FOLDER", "folder of the releases (RELEASES_DIR)"),
        ("--model-repository", "FOLDER", "Triton's model repository (MODEL_REPOSITORY)"),
    )
    for name, metavar, text in places:
        parser.add_argument(name, type=Path, metavar=metavar, help=text)
    parser.add_argument("--triton", metavar="HOST:PORT", help="Triton's gRPC (TRITON_URL)")


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
        "--engine-cache",
        metavar="FOLDER",
        help="for TensorRT engines, on the serving GPU host (ENGINE_CACHE)",
    )
    action.add_argument(
        "--anew", action="store_true", help="build and prove even what is up to date"
    )


def add_release(action: argparse.ArgumentParser) -> None:
    """Add which release."""
    action.add_argument("release", type=positive, help="its number")


def add_switch_options(action: argparse.ArgumentParser) -> None:
    """Add what commands share that change what Triton serves."""
    action.add_argument(
        "--offline", action="store_true", help="Triton does not run: change what it will serve"
    )
    add_dry_run(action)


def add_dry_run(action: argparse.ArgumentParser) -> None:
    """Add that nothing is to be done."""
    action.add_argument("--dry-run", action="store_true", help="only tell the steps")


def positive(text: str) -> int:
    """Return a number of at least 1, as argparse's types do."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def seconds(text: str) -> float:
    """Return a time above 0, as argparse's types do."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def percent(text: str) -> float:
    """Return a share above 0 and up to 100, as argparse's types do."""
    number = float(text)
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError("must be above 0, and 100 at most")
    return number
