"""A secret taken out of the command line that the system shows of a process.

Only Python's own library is used: containers of Triton run this file alone.
"""

import re
from pathlib import Path

# Of /proc/PID/stat after the name in parentheses: field 48, where the arguments begin in memory.
_ARG_START = 48 - 3


def hide_argument(pid: int, secret: str) -> bool:
    """Write stars over a secret in what `ps` shows of a process; return whether it is gone there.

    The process must have copied what it needs of its arguments by now. The system allows this to an
    ancestor of the same user, unless it forbids tracing altogether.
    """
    shown = Path(f"/proc/{pid}/cmdline")
    try:
        start = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_ARG_START])
        with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
            for found in re.finditer(re.escape(secret.encode()), shown.read_bytes()):
                memory.seek(start + found.start())
                memory.write(b"*" * len(found[0]))
        return secret.encode() not in shown.read_bytes()
    except OSError:
        return False
