"""`python -m export`: from published models to live releases."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from export import commands
from export.arguments import add_host, add_pages, positive
from export.errors import ExportError
from export.fetch import DEFAULT_CACHE
from export.releases.cli import add_places, add_release
from export.releases.commands import run_install
from export.spec import MODELS_TOML


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
    add_release(actions)
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
    add_pages(action)
    action.set_defaults(run=commands.run_onnx)


def _add_install(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    action = actions.add_parser("install", help="make what models.toml says live, before a start")
    add_places(action)
    add_host(action)
    add_pages(action)
    action.set_defaults(run=run_install)


def _add_plan(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    action = actions.add_parser("plan", help="build TensorRT plans of a release")
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
        "--precision", choices=("FP32", "FP16", "INT8"), help="(TENSORRT_PRECISION)"
    )
    action.add_argument(
        "--releases", type=Path, metavar="FOLDER", help="folder of the releases (RELEASES_DIR)"
    )
    action.add_argument(
        "--release", type=positive, metavar="N", help="whose models (the live one's)"
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


if __name__ == "__main__":
    sys.exit(main())
