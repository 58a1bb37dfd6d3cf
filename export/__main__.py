"""`python -m export`: published models fetched, built and proven, and the languages they write."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from export import commands
from export.arguments import add_pages, add_sources, run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 1 with a message on stderr."""
    return run_command(_parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    add_sources(parser)
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_fetch(actions)
    _add_onnx(actions)
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
