"""`python -m preprocess_service`: the commands."""

import argparse
import asyncio
import sys
from functools import partial

import uvicorn
from fastapi import FastAPI

from ocr_base.private import keep_private
from preprocess_service import wiring
from preprocess_service.array_jobs import command as array_job
from preprocess_service.log import configure_logging
from preprocess_service.monitoring.exposition import share_metrics
from preprocess_service.pages.sample_page import SAMPLE_LINES, draw_sample_pdf
from preprocess_service.settings import SettingsError, load_settings

_USAGE_ERROR = 2
_LAST_SECONDS = 5


def build_app() -> FastAPI:
    """The application of this environment; called in every service process."""
    settings = load_settings()
    wiring.start_logs_and_traces(settings)
    return wiring.make_app(settings, wiring.make_engine(settings))


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
        http=wiring.make_protocol(settings),
        ws="none",
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
        wiring.start_logs_and_traces(settings)
        asyncio.run(
            wiring.run_worker(settings, wiring.make_engine(settings), wiring.make_web(settings))
        )
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return _USAGE_ERROR
    return 0


def run_batch(arguments: argparse.Namespace) -> int:
    """Read a folder with Triton at TRITON_URL; the exit status is that of `docs/batch.md`."""
    try:
        settings = load_settings()
        engine, budget = wiring.make_engine(settings), wiring.make_budget(settings)
        open_pipeline = partial(wiring.open_pipeline, settings, engine, budget)
        return array_job.run(arguments, settings, open_pipeline)
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
    array_job.add_arguments(
        commands.add_parser("batch", help="read a folder or bucket, as one of many processes")
    )
    sample = commands.add_parser("sample", help="write a scanned sample page (PDF)")
    sample.add_argument("--text", action="store_true", help="write what it says instead")
    arguments = parser.parse_args()
    if arguments.command == "sample":
        return write_sample(text=arguments.text)
    if arguments.command == "batch":
        return run_batch(arguments)
    keep_private()
    return run_worker() if arguments.command == "worker" else serve()


if __name__ == "__main__":
    sys.exit(main())
