"""`python -m embedded serve|triton|perf`: reads the settings and wires the stack."""

import argparse
import logging
import sys

from embedded.errors import EmbeddedError
from embedded.perf_analyzer import run_perf_analyzer
from embedded.settings import Settings, read_settings
from embedded.stack import serve, serve_triton
from ocr_base.private import keep_private


def _settings_help() -> str:
    rows = [
        f"  {name.upper():24} {field.description} ({field.default})"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["settings, from the environment or .env:", *rows])


def main() -> int:
    """Run one command; return 1, after a message, when it cannot go on."""
    parser = argparse.ArgumentParser(
        prog="python -m embedded",
        description="The local stack: the genuine Triton server, without a container.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="Triton and the front service, with a self-check")
    commands.add_parser("triton", help="Triton alone")
    commands.add_parser(
        "perf", help="NVIDIA's perf_analyzer, with its options, on a running Triton"
    )
    options, rest = parser.parse_known_args()
    if rest and options.command != "perf":
        parser.error(f"unknown arguments: {' '.join(rest)}")
    keep_private()
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("embedded").setLevel(logging.INFO)
    try:
        if options.command == "perf":
            return run_perf_analyzer(read_settings(), rest)
        run = serve if options.command == "serve" else serve_triton
        run(read_settings())
    except EmbeddedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
