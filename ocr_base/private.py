"""Files that are nobody's business but this account's."""

import os
from pathlib import Path

_OTHERS = 0o077


def keep_private() -> None:
    """Close to other accounts what this process, and every process that it starts, writes."""
    os.umask(_OTHERS)


def private_folder(path: Path) -> Path:
    """Return the folder, made where it is missing, and closed to other accounts if it is ours."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = path.stat()
    if state.st_uid == os.geteuid() and state.st_mode & _OTHERS:
        path.chmod(0o700)
    return path
