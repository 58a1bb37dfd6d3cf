import os
import stat
import subprocess
import sys
from pathlib import Path

from ocr_base.private import private_folder

CHECKOUT = Path(__file__).parents[3]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_closed_to_others_also_where_it_was_open(tmp_path: Path) -> None:
    open_before = tmp_path / "open"
    open_before.mkdir(mode=0o755)
    assert _mode(private_folder(open_before)) == 0o700
    assert _mode(private_folder(tmp_path / "new" / "folder")) == 0o700


def test_what_a_process_and_its_children_write_is_closed_to_others(tmp_path: Path) -> None:
    program = (
        "import subprocess; from ocr_base.private import keep_private; keep_private();"
        "open('mine', 'w'); subprocess.run(['touch', 'a child\\'s'], check=True)"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-c", program]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert {path.name: _mode(path) for path in tmp_path.iterdir()} == {
        "mine": 0o600,
        "a child's": 0o600,
    }
