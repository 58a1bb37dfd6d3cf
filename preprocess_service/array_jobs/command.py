"""`python -m preprocess_service batch`: arguments → shard → runner → exit status."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from preprocess_service.array_jobs.errors import (
    ArrayJobStoppedError,
    ArrayJobUsageError,
    ExitStatus,
    stopped_without,
)
from preprocess_service.array_jobs.files import Folder, SourceFile
from preprocess_service.array_jobs.ledger import Ledger
from preprocess_service.array_jobs.runner import ArrayJob, Limits, Summary
from preprocess_service.array_jobs.shards import Shard, find_shard
from preprocess_service.errors import InvalidOptionsError
from preprocess_service.log import configure_logging
from preprocess_service.options import OcrOptions, parse_options
from preprocess_service.reading.pipeline import OcrPipeline
from preprocess_service.settings import Settings

OpenPipeline = Callable[[], AbstractAsyncContextManager[OcrPipeline]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags: those of the array job, and one for each option of a request."""
    parser.add_argument("input", help="folder or s3:// prefix of the documents")
    parser.add_argument("output", help="folder or s3:// prefix of the results")
    parser.add_argument(
        "--shards", type=_positive, help="processes of the array job (AWS_BATCH_JOB_ARRAY_SIZE)"
    )
    parser.add_argument("--parallel", type=_positive, default=4, help="documents at once (4)")
    parser.add_argument(
        "--patience", type=float, default=300, help="seconds to wait for Triton (300)"
    )
    for name, field in OcrOptions.model_fields.items():
        flags = [f"--{name.replace('_', '-')}", *(["-f"] if name == "output_format" else [])]
        parser.add_argument(*flags, dest=name, help=(field.description or "").replace("%", "%%"))


def run(
    arguments: argparse.Namespace, settings: Settings, open_pipeline: OpenPipeline
) -> ExitStatus:
    """Read this process's part of the documents; what went wrong is said on standard error."""
    console = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
    # Lines of log would tear the bar apart.
    configure_logging("ERROR" if console.is_terminal else settings.log_level)
    try:
        shard = find_shard(os.environ, arguments.shards)
        summary = asyncio.run(_run(arguments, settings, open_pipeline, shard))
    except (ArrayJobUsageError, InvalidOptionsError) as exc:
        console.print(str(exc))
        return ExitStatus.USAGE
    except ArrayJobStoppedError as exc:
        console.print(f"{exc} Run the same command again: it goes on from here.")
        return ExitStatus.AWAY
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except asyncio.CancelledError:
        return ExitStatus.TERMINATED
    sys.stdout.write(json.dumps(asdict(summary)) + "\n")
    return ExitStatus.SOME_FAILED if summary.failures else ExitStatus.OK


async def _run(
    arguments: argparse.Namespace, settings: Settings, open_pipeline: OpenPipeline, shard: Shard
) -> Summary:
    options = _options(arguments)
    source, target = Folder(arguments.input), Folder(arguments.output)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _this_task().cancel)
    with stopped_without("input"):
        files = await asyncio.to_thread(_list, source, target, shard)
    ledger = Ledger(target, options)
    limits = Limits(settings.max_file_size_mb << 20, arguments.patience)
    async with open_pipeline() as pipeline:
        runner = ArrayJob(source, ledger, options, pipeline, limits)
        summary = await _run_with_bar(runner, files, arguments.parallel)
    name = f"summary-{shard.index:05}-of-{shard.count:05}.json"
    with stopped_without("output"):
        await asyncio.to_thread(ledger.keep_summary, name, json.dumps(asdict(summary)).encode())
    return summary


async def _run_with_bar(runner: ArrayJob, files: list[SourceFile], parallel: int) -> Summary:
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("documents", total=len(files))
        return await runner.run(files, parallel, lambda: progress.advance(bar))


def _list(source: Folder, target: Folder, shard: Shard) -> list[SourceFile]:
    if not source.exists():
        raise ArrayJobUsageError(f"There is no folder {source.root}, or nothing in it.")
    return [file for file in source.documents(leave_out=target) if shard.takes(file.name)]


def _options(arguments: argparse.Namespace) -> OcrOptions:
    given = {name: getattr(arguments, name) for name in OcrOptions.model_fields}
    return parse_options((name, value) for name, value in given.items() if value is not None)


def _this_task() -> "asyncio.Task[object]":
    task = asyncio.current_task()
    assert task is not None
    return task


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)
