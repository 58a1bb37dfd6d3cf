"""Where results go: standard output, files beside the documents, a folder, one file."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ocr_base.formats import EXTENSIONS
from ocr_cli.errors import UsageError
from ocr_cli.inputs import Input

STDOUT = "-"
Existing = Literal["refuse", "skip", "overwrite"]


@dataclass(frozen=True)
class Task:
    """One document to read and the file its result becomes; None: standard output."""

    source: Path
    target: Path | None


def guess_format(output: str | None) -> str:
    """The format that the name of an output file tells; text where it tells none."""
    names = {EXTENSIONS[name]: name for name in ("json", "text", "markdown", "html", "tsv")}
    more = {".hocr": "hocr", ".xml": "alto", ".pdf": "pdf", ".htm": "html"}
    return (names | more).get(Path(output or "").suffix.lower(), "text")


def plan_tasks(inputs: Sequence[Input], output: str | None, output_format: str) -> list[Task]:
    """Each document with its target.

    Raises:
        UsageError: Two results would be one file, or they cannot share standard output.
    """
    extension = EXTENSIONS[output_format]
    if output == STDOUT:
        _require_stdout_takes(output_format, len(inputs))
        return [Task(item.path, None) for item in inputs]
    if output is None:
        tasks = [Task(i.path, i.path.with_name(i.path.name + extension)) for i in inputs]
    elif _is_folder(output, len(inputs)):
        folder = Path(output)
        tasks = [
            Task(i.path, folder / i.relative.with_name(i.relative.name + extension)) for i in inputs
        ]
    else:
        tasks = [Task(inputs[0].path, Path(output))]
    _require_distinct(tasks)
    return tasks


def keep_existing(tasks: Sequence[Task], existing: Existing) -> list[Task]:
    """The tasks without those whose result is there already, where that is wanted.

    Raises:
        UsageError: A result is there already, and neither skipping nor overwriting was asked for.
    """
    there = [task for task in tasks if task.target is not None and task.target.exists()]
    if there and existing == "refuse":
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(
            f"{there[0].target}{more} would be overwritten: "
            "--skip-existing leaves such documents out, --force reads them anew."
        )
    return [task for task in tasks if task not in there] if existing == "skip" else list(tasks)


def write_result(task: Task, body: bytes) -> None:
    """Write the result at once: a reader of the file sees all of it or nothing.

    Raises:
        OSError: It could not be written.
    """
    if task.target is None:
        # JSON ends without a newline, and a PDF may not get one.
        end = b"" if body.endswith(b"\n") or body.startswith(b"%PDF") else b"\n"
        sys.stdout.buffer.write(body + end)
        sys.stdout.buffer.flush()
        return
    task.target.parent.mkdir(parents=True, exist_ok=True)
    partial = task.target.with_name(f".{task.target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(body)
        partial.replace(task.target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _is_folder(output: str, count: int) -> bool:
    path = Path(output)
    if count > 1 and path.exists() and not path.is_dir():
        raise UsageError(f"-o {output} is a file, and there are {count} documents: name a folder.")
    return count > 1 or path.is_dir() or output.endswith(os.sep)


def _require_stdout_takes(output_format: str, count: int) -> None:
    if output_format == "pdf" and (count > 1 or sys.stdout.isatty()):
        raise UsageError("A PDF goes to a file: name it, or a folder, with -o.")


def _require_distinct(tasks: Sequence[Task]) -> None:
    sources: dict[Path | None, Path] = {}
    for task in tasks:
        other = sources.setdefault(task.target, task.source)
        if other != task.source:
            raise UsageError(
                f"{other} and {task.source} would both be written to {task.target}: "
                "read them apart, or from a folder that holds both."
            )
        if task.target == task.source:
            raise UsageError(f"{task.source} would be overwritten by its own result.")
