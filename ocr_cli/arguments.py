"""The command line: `ocr scan|serve|doctor` and their flags."""

import argparse

from ocr_base.places import HOST, PORT, SERVICE_URL
from ocr_base.settings import from_environment
from ocr_base.version import VERSION
from ocr_cli.options import OPTIONS

_EXIT_STATUS = """\
exit status:
  0    every page of every document was read
  1    some document or page was not; standard error says which and why
  2    nothing could be started: names, options, existing results, a key that is refused
  3    the server is away or cannot read; what was written stays
  130  interrupted with Ctrl-C
"""
_SCAN_EXAMPLES = """\
examples:
  ocr scan letter.png                       its text on standard output
  ocr scan letter.png -o letter.md          the format follows the name
  ocr scan scans/ 'more/**/*.pdf' -f pdf -o searchable/
  ocr scan archive/ -f json --jobs --skip-existing

"""


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `command` is the name of the subcommand."""
    parser = argparse.ArgumentParser(
        prog="ocr",
        description="Read documents with an OCR server.",
        epilog=_EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_scan(
        commands.add_parser(
            "scan",
            help="read files, folders and patterns",
            description="Read documents with a running server.",
            epilog=_SCAN_EXAMPLES + _EXIT_STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    serve = commands.add_parser(
        "serve",
        help="run a server on this machine",
        description="Run Triton and the front service on this machine until Ctrl-C.",
    )
    serve.add_argument("--host", help=f"address to listen on (HOST, else {HOST})")
    serve.add_argument("--port", type=int, help=f"port to listen on (PORT, else {PORT})")
    doctor = commands.add_parser(
        "doctor",
        help="check this machine and say what to do",
        description="Check whether this machine can run a server, and what runs already. "
        "The exit status is 1 when something must be mended first.",
    )
    _add_server(doctor)
    return parser


def _add_scan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a document, a folder, or a pattern in quotes"
    )
    output = parser.add_argument_group("where results go")
    output.add_argument(
        "-o",
        "--output",
        metavar="FILE|DIR|-",
        help="a file, a folder, or - for standard output (default: standard output for one file, "
        "else FILE.txt, FILE.json … beside each document)",
    )
    existing = output.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="overwrite existing results")
    existing.add_argument(
        "--skip-existing", action="store_true", help="leave out documents that have a result"
    )
    reading = parser.add_argument_group("how to read (in brackets: the server's default)")
    for option in OPTIONS:
        option.add_to(reading)
    reading.set_defaults(password=from_environment("OCR_PASSWORD"))
    server = _add_server(parser)
    server.add_argument(
        "--jobs", action="store_true", help="through the server's job queue, for long documents"
    )
    for flag, kind, default, help_text in (
        ("--parallel", _positive, 4, "documents at once"),
        ("--timeout", float, 600, "seconds that one answer may take"),
        ("--patience", float, 120, "seconds to keep trying a busy or restarting server"),
    ):
        server.add_argument(
            flag, type=kind, default=default, metavar="N", help=f"{help_text} (%(default)s)"
        )


def _add_server(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    group = parser.add_argument_group("which server, and how to ask it")
    group.add_argument(
        "--server",
        type=_server_url,
        default=from_environment("OCR_SERVER") or SERVICE_URL,
        metavar="URL",
        help=f"(OCR_SERVER, else {SERVICE_URL})",
    )
    group.add_argument(
        "--api-key",
        default=from_environment("OCR_API_KEY"),
        metavar="KEY",
        help="better in OCR_API_KEY, where other users of this machine do not see it",
    )
    return group


def _server_url(text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    if not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is no http or https URL")
    return url.rstrip("/")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)
