"""`python -m export`: from published models to the model repository."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from export import commands
from export.errors import ExportError
from export.fetch import DEFAULT_CACHE
from export.spec import MODELS_TOML

DEFAULT_REPOSITORY = Path(__file__).parent.parent / "model_repository"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 1 with a message on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument(
        "--models",
        type=Path,
        default=MODELS_TOML,
        metavar="FILE",
        help="models table (%(default)s)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=DEFAULT_CACHE,
        metavar="FOLDER",
        help="where downloaded sources are kept (%(default)s)",
    )
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_fetch(actions)
    _add_onnx(actions)
    _add_install(actions)
    _add_plan(actions)
    _add_list(actions)
    return parser


def _add_fetch(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    action = actions.add_parser("fetch", help="download and check all sources")
    action.set_defaults(run=commands.run_fetch)


def _add_onnx(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    action = actions.add_parser("onnx", help="build and prove ONNX files outside a repository")
    action.add_argument("model", nargs="*", help="names of models.toml (all)")
    action.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="for MODEL.onnx"
    )
    _add_pages(action)
    action.set_defaults(run=commands.run_onnx)


def _add_install(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    action = actions.add_parser("install", help="bring a model repository up to date")
    action.add_argument(
        "--model-repository",
        type=Path,
        default=DEFAULT_REPOSITORY,
        metavar="FOLDER",
        help="Triton's model repository (%(default)s)",
    )
    action.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="(%(default)s)")
    action.add_argument(
        "--cores", type=_positive, metavar="N", help="cores of the serving host (this machine's)"
    )
    action.add_argument(
        "--precision", choices=("FP32", "FP16"), help="TensorRT's, with --device gpu (FP16)"
    )
    action.add_argument(
        "--engine-cache", metavar="FOLDER", help="for TensorRT engines, on the serving GPU host"
    )
    action.add_argument(
        "--anew", action="store_true", help="build and prove even what is up to date"
    )
    _add_pages(action)
    action.set_defaults(run=commands.run_install)


def _add_plan(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    action = actions.add_parser("plan", help="build TensorRT plans of installed models")
    action.add_argument("model", nargs="*", help="names of models.toml (all)")
    action.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="for MODEL.plan"
    )
    action.add_argument(
        "--compute-capability",
        choices=("SM75", "SM80", "SM86", "SM89", "SM120"),
        help="build with TensorRT-RTX for that GPU architecture (the GPU of this machine)",
    )
    action.add_argument(
        "--precision", choices=("FP32", "FP16"), default="FP16", help="(%(default)s)"
    )
    action.add_argument(
        "--model-repository",
        type=Path,
        default=DEFAULT_REPOSITORY,
        metavar="FOLDER",
        help="where the models are installed (%(default)s)",
    )
    action.set_defaults(run=commands.run_plan)


def _add_list(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    action = actions.add_parser(
        "list", help="show models, their sources and the languages they write"
    )
    action.add_argument(
        "--language", metavar="CODE", help="show who writes it and what others lack"
    )
    action.set_defaults(run=commands.run_list)


def _add_pages(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--pages", type=Path, metavar="FOLDER", help="images and PDFs to prove parity on as well"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
