"""What commands that build models take, and how a command ends."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from export.errors import ExportError
from export.tables import MODELS_TOML
from ocr_base.places import DOWNLOADS


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the table of models, and where their downloaded sources are kept."""
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
        default=DOWNLOADS,
        metavar="FOLDER",
        help="where downloaded sources are kept (%(default)s)",
    )


def add_pages(action: argparse.ArgumentParser) -> None:
    """Add the user's own pages."""
    action.add_argument(
        "--pages", type=Path, metavar="FOLDER", help="images and PDFs to prove parity on as well"
    )


def run_command(options: argparse.Namespace) -> int:
    """Run what was parsed and return its exit status: 0, or 1 with a message on stderr."""
    try:
        options.run(options)
    except ExportError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
