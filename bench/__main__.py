"""Command line of the benchmark."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.items import ManifestError
from bench.score_command import score_predictions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m bench``; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    scoring = commands.add_parser("score", help="score predictions that are already there")
    scoring.add_argument("predictions", type=Path, metavar="PREDICTIONS.json")
    scoring.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/dev"))
    scoring.add_argument("--per-item", action="store_true", help="one row per page, worst first")
    options = parser.parse_args(arguments)
    try:
        score_predictions(options.predictions, options.folder, per_item=options.per_item)
    except (ManifestError, OSError, ValueError) as exc:
        print(f"bench: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
