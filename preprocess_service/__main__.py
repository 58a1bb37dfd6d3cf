"""`python -m preprocess_service`: settings → engine → app → server; the composition root."""

import argparse
import asyncio
import sys

import uvicorn
from fastapi import FastAPI

from preprocess_service.api.http_protocol import protocol
from preprocess_service.app import create_app
from preprocess_service.batch import command as batch
from preprocess_service.imaging.sample_page import SAMPLE_LINES, draw_sample_pdf
from preprocess_service.inference.triton_engine import TritonEngine
from preprocess_service.log import configure_logging
from preprocess_service.monitoring.export_traces import export_traces
from preprocess_service.monitoring.exposition import share_metrics
from preprocess_service.settings import Settings, SettingsError, load_settings
from preprocess_service.worker import make_web, work

_USAGE_ERROR = 2
_LAST_SECONDS = 5


def make_engine(settings: Settings) -> TritonEngine:
    """The client of the Triton that the settings name."""
    return TritonEngine(settings.triton_url, settings.triton_timeout)


def start_telling(settings: Settings) -> None:
    """Have this process log, and send its traces if they are wanted; once per process."""
    configure_logging(settings.log_level)
    if url := settings.traces_url:
        export_traces(url, settings.otel_service_name)


def build_app() -> FastAPI:
    """The application of this environment; called in every service process."""
    settings = load_settings()
    start_telling(settings)
    return create_app(settings, make_engine(settings))


def serve() -> int:
    """Serve until told to stop; an environment that cannot be used is said on standard error."""
    try:
        settings = load_settings()
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return _USAGE_ERROR
    configure_logging(settings.log_level)
    if settings.workers > 1:
        share_metrics(settings.data_dir, settings.port)
    uvicorn.run(
        "preprocess_service.__main__:build_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        http=protocol(settings.header_timeout),
        timeout_keep_alive=settings.keep_alive_timeout,
        # What the drain does not wait for: long polls and streams of events.
        timeout_graceful_shutdown=_LAST_SECONDS,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
    )
    return 0


def run_worker() -> int:
    """Read jobs until told to stop; a wrong environment is said on standard error."""
    try:
        settings = load_settings()
        start_telling(settings)
        asyncio.run(work(settings, make_engine(settings), make_web(settings)))
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return _USAGE_ERROR
    return 0


def run_batch(arguments: argparse.Namespace) -> int:
    """Read a folder with Triton at TRITON_URL; the exit status is that of `docs/batch.md`."""
    try:
        return batch.run(arguments, load_settings(), make_engine)
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return _USAGE_ERROR


def write_sample(*, text: bool) -> int:
    """Write the sample document, or the text that it shows, to standard output."""
    data = "\n".join([*SAMPLE_LINES, ""]).encode() if text else draw_sample_pdf()
    sys.stdout.buffer.write(data)
    return 0


def main() -> int:
    """The exit status of the command that was given."""
    parser = argparse.ArgumentParser(prog="python -m preprocess_service")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve HTTP (the default)")
    commands.add_parser("worker", help="read jobs, beside the service and other workers")
    batch.add_arguments(
        commands.add_parser("batch", help="read a folder or bucket, as one of many processes")
    )
    sample = commands.add_parser("sample", help="write a scanned sample page (PDF)")
    sample.add_argument("--text", action="store_true", help="write what it says instead")
    arguments = parser.parse_args()
    if arguments.command == "sample":
        return write_sample(text=arguments.text)
    if arguments.command == "batch":
        return run_batch(arguments)
    if arguments.command == "worker":
        return run_worker()
    return serve()


if __name__ == "__main__":
    sys.exit(main())
