"""The Triton of the local stack: its command line, its readiness, its life in tests."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from embedded import assembly, repository, triton_health
from embedded.assembly import Installation
from embedded.errors import ModelMissingError
from embedded.guarded_process import Command, GuardedProcess
from embedded.host import require_supported_host
from embedded.lost_processes import LostProcesses
from embedded.ports import free_ports, require_free_ports
from embedded.service import POLL_SECONDS, Service, State
from embedded.settings import Settings
from embedded.triton_log import TritonLog
from ocr_base.places import TUNING
from ocr_base.triton import CONTROL_APIS, CONTROL_HEADER

logger = logging.getLogger("embedded")


@contextlib.contextmanager
def running_triton(settings: Settings) -> Iterator["Triton"]:
    """Start Triton, give it when every model is loaded and warm, end it and everything of it after.

    Raises:
        EmbeddedError: It cannot start; the text says what to change.
    """
    require_supported_host()
    with assembly.locked(settings.runtime_dir, settings.triton_stop_timeout) as lock:
        require_free_ports(settings.triton_addresses)
        triton = Triton(settings, lock)
        try:
            triton.start()
            yield triton
        finally:
            triton.service.stop()


def settings_on_free_ports(model_repository: Path, runtime_dir: Path, **others: object) -> Settings:
    """Return settings for a stack beside any other on this machine, as tests need it."""
    names = ("port", "triton_grpc_port", "triton_metrics_port", "triton_http_port", "valkey_port")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    folders = {"model_repository": model_repository, "runtime_dir": runtime_dir}
    return Settings.model_validate({**folders, **ports, **others})


class Triton:
    """One Triton under supervision."""

    def __init__(self, settings: Settings, lock: int) -> None:
        self.settings = settings
        self.lock = lock
        self._models = _models_to_load(settings.model_repository)
        given = settings.triton_control_key
        self.control_key = assembly.control_key(
            settings.runtime_dir, given.get_secret_value() if given else None
        )
        self._log = TritonLog(settings.runtime_dir / "triton.log")
        process = GuardedProcess(self._command(), lock)
        self.service = Service("Triton", process, self, settings.triton_startup_timeout)
        self._lost_processes = LostProcesses()

    @property
    def pid(self) -> int | None:
        """The process id of `tritonserver`, None while it does not run."""
        return self.service.process.pid

    def start(self) -> None:
        """Start Triton and return when it is ready, telling how many models are.

        Raises:
            StartError: It died or missed its deadline.
        """
        self.service.start()
        names = self._models
        logger.info("Triton loads and warms %d models.", len(names))
        told: list[str] = []
        while self.service.state is not State.READY:
            self.service.check_start()
            loaded = self._log.loaded_models()
            if news := [name for name in loaded if name not in told]:
                logger.info("%d of %d models ready: %s", len(loaded), len(names), ", ".join(news))
                told = loaded
            time.sleep(POLL_SECONDS)

    def is_ready(self) -> bool:
        """Return whether Triton says that it and every model are ready."""
        ready = triton_health.is_ready(self.settings.triton_grpc_address)
        if ready:
            self.service.process.hide_argument(self.control_key)
        return ready

    def find_fault(self) -> str:
        """Return which processes of models were lost, empty if none.

        Triton 2.51 goes on saying that it is ready after the process of a model died (the system's
        out-of-memory killer does that), fails every request to it and cannot bring it back.
        """
        lost = self._lost_processes.of(self.pid)
        return f"model processes {lost} died" if lost else ""

    def explain(self) -> str:
        """Return what Triton's log says about its end."""
        return self._log.explain_failure()

    def _command(self) -> Command:
        settings = self.settings
        installation = assembly.assemble(settings.runtime_dir)
        prefix = assembly.shared_memory_prefix(settings.runtime_dir)
        return Command(
            arguments=(
                str(installation.server),
                *_repository_arguments(settings, installation),
                *_network_arguments(settings, self.control_key),
                f"--backend-config=python,shm-region-prefix-name={prefix}",
                f"--exit-timeout-secs={max(1, int(settings.triton_stop_timeout))}",
            ),
            environment=_environment(installation),
            folder=settings.runtime_dir,
            log=self._log.path,
            shm_prefix=prefix,
            # Triton looks at its in-flight requests once a second and then unloads its models.
            grace_seconds=settings.triton_stop_timeout + 10,
            arguments_of_start=self._load_arguments,
        )

    def _load_arguments(self) -> list[str]:
        # Another release may be live than at the last start.
        with contextlib.suppress(ModelMissingError):
            self._models = _models_to_load(self.settings.model_repository)
        return [f"--load-model={name}" for name in self._models]


def _models_to_load(folder: Path) -> list[str]:
    try:
        names = repository.models_to_load(folder)
        repository.make_engine_folders(folder, names)
    except repository.ModelsMissingError as error:
        raise ModelMissingError(str(error)) from error
    return names


def _repository_arguments(settings: Settings, installation: Installation) -> list[str]:
    return [
        f"--model-repository={settings.model_repository.resolve()}",
        f"--backend-directory={installation.backend_directory}",
        # Explicit: a model changes when an operator says so, never because a file did.
        "--model-control-mode=explicit",
    ]


def _network_arguments(settings: Settings, control_key: str) -> list[str]:
    restricted = f"{','.join(CONTROL_APIS)}:{CONTROL_HEADER}={control_key}"
    return [
        *(f"--grpc-address={settings.triton_host}", f"--grpc-port={settings.triton_grpc_port}"),
        f"--grpc-restricted-protocol={restricted}",
        f"--metrics-address={settings.triton_metrics_host}",
        f"--metrics-port={settings.triton_metrics_port}",
        *_http_arguments(settings, restricted),
    ]


def _http_arguments(settings: Settings, restricted: str) -> list[str]:
    if not settings.triton_http_port:
        return ["--allow-http=false"]
    return [
        f"--http-address={settings.triton_http_host}",
        f"--http-port={settings.triton_http_port}",
        f"--http-restricted-api={restricted}",
    ]


def _environment(installation: Installation) -> dict[str, str]:
    environment = dict(os.environ)
    environment.pop("PYTHONHOME", None)
    # The backend keeps there which precision is the fastest for which model on this machine.
    if not environment.get("OPENVINO_TUNING_DIR"):
        environment["OPENVINO_TUNING_DIR"] = str(TUNING)
    first = {
        "LD_LIBRARY_PATH": installation.library_path,
        # The stub finds its packages through the first `python3` of the path.
        "PATH": (Path(sys.executable).parent,),
    }
    for name, folders in first.items():
        ours = map(str, folders)
        environment[name] = ":".join(filter(None, [*ours, environment.get(name, "")]))
    return environment
