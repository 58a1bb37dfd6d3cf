"""`ocr doctor`: what this machine has, what runs on it, and the command that mends the rest."""

import argparse
import os
from collections.abc import Iterable

from dotenv import dotenv_values
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ocr_cli.doctor.check import Check
from ocr_cli.doctor.machine import check_machine
from ocr_cli.doctor.running import check_running
from ocr_cli.doctor.software import check_software
from ocr_cli.errors import ExitStatus

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def run_doctor(arguments: argparse.Namespace) -> ExitStatus:
    """Print the table; SOME_FAILED when a row of it must be mended before a server can run."""
    tables = (dotenv_values(".env"), os.environ)  # the later wins, where it is not empty
    settings = {name: value for table in tables for name, value in table.items() if value}
    checks = [
        *check_machine(settings),
        *check_software(settings),
        *check_running(settings, arguments.server, arguments.api_key),
    ]
    Console().print(_table(checks))
    failed = any(check.level == "fail" for check in checks)
    return ExitStatus.SOME_FAILED if failed else ExitStatus.OK


def _table(checks: Iterable[Check]) -> Table:
    table = Table("check", "", box=None, pad_edge=False)
    table.add_column("found", overflow="fold")
    table.add_column("what to do", overflow="fold")
    for check in checks:
        level = Text(check.level, style=_STYLES[check.level])
        table.add_row(check.name, level, Text(check.found), Text(check.remedy, style="bold"))
    return table
