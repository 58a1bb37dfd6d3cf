import os
from pathlib import Path

import pytest

from embedded.assembly import assemble, control_key, locked, shared_memory_prefix
from embedded.errors import RuntimeFolderBusyError


def test_the_backend_directory_has_the_wheels_and_our_backends(tmp_path: Path) -> None:
    (tmp_path / "backends" / "of_an_older_release").mkdir(parents=True)
    installation = assemble(tmp_path)
    backends = installation.backend_directory
    assert os.access(installation.server, os.X_OK)
    assert os.access(backends / "python" / "triton_python_backend_stub", os.X_OK)
    assert (backends / "onnxruntime" / "model.py").exists()
    modules = backends / "onnxruntime" / "embedded" / "backends" / "onnxruntime"
    assert {"options.py", "sessions.py"} <= {path.name for path in modules.iterdir()}
    assert not (backends / "of_an_older_release").exists()
    assert not [path for path in backends.rglob("*") if path.is_symlink()]
    assert all(folder.is_dir() for folder in installation.library_path)


def test_the_prefix_is_the_folders_own_in_every_run(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert shared_memory_prefix(one) == shared_memory_prefix(one)
    assert shared_memory_prefix(one) != shared_memory_prefix(other)


def test_the_control_key_is_kept_for_this_account_alone(tmp_path: Path) -> None:
    key = control_key(tmp_path, None)
    assert len(key) >= 32
    assert control_key(tmp_path, None) == key
    assert (tmp_path / "control-key").stat().st_mode & 0o777 == 0o600
    assert control_key(tmp_path, "chosen") == "chosen"
    assert (tmp_path / "control-key").read_text() == "chosen"


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    busy = pytest.raises(RuntimeFolderBusyError, match="RUNTIME_DIR")
    with locked(tmp_path, 0), busy, locked(tmp_path, 0):
        pass
    with locked(tmp_path, 0):
        pass
