"""`ocr`: arguments → command → exit status."""

import argparse
import asyncio
import sys

import httpx

from ocr_cli.arguments import make_parser
from ocr_cli.client import Connection
from ocr_cli.doctor import run_doctor
from ocr_cli.errors import CliError, ExitStatus
from ocr_cli.inputs import find_inputs
from ocr_cli.jobs import JobReader
from ocr_cli.options import form_fields
from ocr_cli.outputs import STDOUT, Existing, Task, guess_format, keep_existing, plan_tasks
from ocr_cli.report import make_report
from ocr_cli.scan import Scan, Tally
from ocr_cli.serve import run_serve


def main() -> int:
    """The exit status of the command that was given."""
    arguments = make_parser().parse_args()
    try:
        if arguments.command == "scan":
            return run_scan(arguments)
        if arguments.command == "doctor":
            return run_doctor(arguments)
        run_serve(arguments)
    except CliError as exc:
        print(f"ocr: {exc}", file=sys.stderr)
        return exc.status
    except KeyboardInterrupt:
        print("ocr: interrupted; results already written stay", file=sys.stderr)
        return ExitStatus.INTERRUPTED
    return ExitStatus.OK


def run_scan(arguments: argparse.Namespace) -> ExitStatus:
    """Read what was named; the exit status says whether all of it was read."""
    planned = _plan(arguments)
    tasks = keep_existing(planned, _existing(arguments))
    tally = asyncio.run(_scan(arguments, tasks))
    if len(planned) != 1 or arguments.output != STDOUT:
        _print_summary(tally, left_out=len(planned) - len(tasks))
    return ExitStatus.OK if tally.is_good else ExitStatus.SOME_FAILED


def _plan(arguments: argparse.Namespace) -> list[Task]:
    inputs = find_inputs(arguments.files)
    if arguments.output is None and len(inputs) == 1 and [str(inputs[0].path)] == arguments.files:
        arguments.output = STDOUT
    if arguments.output_format is None:
        arguments.output_format = guess_format(arguments.output)
    return plan_tasks(inputs, arguments.output, arguments.output_format)


def _existing(arguments: argparse.Namespace) -> Existing:
    if arguments.force:
        return "overwrite"
    return "skip" if arguments.skip_existing else "refuse"


async def _scan(arguments: argparse.Namespace, tasks: list[Task]) -> Tally:
    key = arguments.api_key
    async with httpx.AsyncClient(
        base_url=arguments.server,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=httpx.Timeout(arguments.timeout, connect=10),
        limits=httpx.Limits(max_connections=arguments.parallel + 1),
    ) as http:
        connection = Connection(http, arguments.patience)
        await connection.require_server()
        reader = JobReader(connection) if arguments.jobs else connection
        with make_report(len(tasks)) as report:
            scan = Scan(reader.read, form_fields(arguments), report)
            return await scan.run(tasks, min(arguments.parallel, len(tasks)) or 1)


def _print_summary(tally: Tally, left_out: int) -> None:
    parts = [f"{tally.read} read"]
    parts += [f"{tally.partial} of them without some page"] if tally.partial else []
    parts += [f"{tally.failed} failed"] if tally.failed else []
    parts += [f"{left_out} left out, their results exist"] if left_out else []
    print(f"ocr: {', '.join(parts)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
