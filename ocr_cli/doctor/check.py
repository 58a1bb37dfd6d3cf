"""One row of the doctor's table."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """What was found, and what mends it; `fail`: a server cannot run here like this."""

    name: str
    level: Level
    found: str
    remedy: str = ""


def passed_or(is_good: bool, name: str, found: str, otherwise: tuple[Level, str]) -> Check:
    """`ok` where it is good, else the level and the remedy given."""
    level, remedy = otherwise
    return Check(name, "ok", found) if is_good else Check(name, level, found, remedy)
