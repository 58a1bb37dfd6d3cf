"""Accuracy and speed of the server beside rapidocr, faster-paddle, ocrust and tesseract."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.growth import run_growth
from bench.peers.registry import PEERS
from bench.reading import EngineFailedError
from bench.run_command import WORK_FOLDER, RunOptions, choose_folder, describe_folder, run
from bench.score_command import score_predictions
from bench.soak import run_soak
from ocr_base.reading import STRATEGIES
from quality.items import ManifestError

SERVER, IN_PROCESS = "server", "in-process"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m bench`` with the arguments; returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if words[:1] == ["score"]:
            return _score(words[1:])
        if words[:1] == ["soak"]:
            return run_soak(words[1:])
        if words[:1] == ["growth"]:
            return run_growth(words[1:])
        return run(_read_options(words))
    except (ManifestError, EngineFailedError, OSError, ValueError) as exc:
        print(f"bench: {exc}", file=sys.stderr)
        return 1


def _read_options(words: Sequence[str]) -> RunOptions:
    options = _run_parser().parse_args(words)
    return RunOptions(
        folder=options.folder,
        with_server=SERVER in options.engines,
        in_process=IN_PROCESS in options.engines,
        peers=[name for name in options.engines if name in PEERS],
        strategies=options.strategies,
        server_options=dict(options.option),
        languages=options.language,
        runs=options.runs,
        concurrency=options.concurrency,
        one_at_a_time=options.one_at_a_time,
        base_url=options.base_url,
        output=options.output,
    )


def _run_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="python -m bench score PREDICTIONS.json [FOLDER] scores lines that are there; "
        "python -m bench soak sends many requests and watches the memory of every process; "
        "python -m bench growth draws curves over requests at once, pages, pixels and lines.",
    )
    engines = [SERVER, IN_PROCESS, *PEERS]
    # fmt: off
    add = parser.add_argument
    add("folder", type=Path, nargs="?", metavar="FOLDER", help="labelled pages with manifest.json")
    add("--engines", type=_list_of(engines), default=engines, metavar="NAME,...",
        help=f"which to measure: {', '.join(engines)} (all)")
    add("--strategies", type=_list_of(STRATEGIES), default=list(STRATEGIES), metavar="NAME,...",
        help=f"of the server: {', '.join(STRATEGIES)} (all)")
    add("--option", type=_pair, action="append", default=[], metavar="NAME=VALUE",
        help="option of every request to the server, such as enhance=none; may be repeated")
    add("--language", type=lambda text: text.split(","), default=[], metavar="CODE,...",
        help="only pages in these languages (all)")
    add("--runs", type=_positive, default=1, metavar="N", help="passes per engine (1)")
    add("--concurrency", type=_positive, metavar="N",
        help="requests at once to the server (twice the cores)")
    add("--one-at-a-time", action="store_true",
        help="every engine gets a page only after the one before is read")
    add("--base-url", metavar="URL", help="measure this running server, start none")
    add("--output", type=Path, default=WORK_FOLDER / "report.md", metavar="FILE.md",
        help="the report; figures of each page go to FILE.json beside it (.bench/report.md)")
    # fmt: on
    return parser


def _list_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
        return names

    return read


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    return name, value


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _score(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench score",
        description="Score predictions: a JSON object of item ids and lists of lines with `text` "
        "and, in the page's frame, `box`; null for a page that was not answered.",
    )
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS.json")
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    parser.add_argument("--per-item", action="store_true", help="one row per page, worst first")
    options = parser.parse_args(words)
    folder = choose_folder(options.folder)
    print(f"Scoring against {describe_folder(folder)}")
    score_predictions(options.predictions, folder, per_item=options.per_item)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
