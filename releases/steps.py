"""What a command does, one step after the other: told before it is done, or only told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console


@dataclass(frozen=True)
class Step:
    """A step that may be done again: a command that was killed is run again from its first."""

    says: str
    do: Callable[[], object]


def run_steps(steps: Iterable[Step], console: Console, *, dry_run: bool = False) -> None:
    """Tell and do each step; with `dry_run` only tell."""
    for step in steps:
        console.print(f"{'would ' if dry_run else ''}{step.says}")
        if not dry_run:
            step.do()
