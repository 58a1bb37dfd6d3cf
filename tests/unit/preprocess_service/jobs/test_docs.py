"""Every `curl` of `docs/jobs.md`, run as it stands there, against a service and a worker."""

import asyncio
import re
import shutil
import socket
from pathlib import Path

import httpx
import pytest
import uvicorn

from preprocess_service.app import create_app
from tests.fakes import FakeEngine
from tests.unit.preprocess_service.jobs.conftest import (
    CHECKOUT,
    numbered_pdf,
    running_worker,
    until,
)

DOCS = CHECKOUT / "docs" / "jobs.md"
_ADDRESS = "http://127.0.0.1:8000"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("curl ")]


async def run(command: str, folder: Path, job_id: str) -> str:
    """What the command prints; `-w` adds the status as the last line."""
    process = await asyncio.create_subprocess_shell(
        f"{command} -sS --max-time 20 -w '\\n%{{http_code}}'",
        cwd=folder,
        env={"JOB": job_id, "PATH": "/usr/bin:/bin:/usr/local/bin"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, command
    return out.decode()


async def test_every_command_of_the_docs_does_what_is_said(settings, redis, tmp_path: Path):
    (tmp_path / "scan.pdf").write_bytes(numbered_pdf(2))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        app = create_app(settings, FakeEngine())
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with running_worker(settings, FakeEngine()), httpx.AsyncClient() as client:
            address = f"http://127.0.0.1:{port}"
            await until(lambda: server.started)
            files = {"file": numbered_pdf(1)}
            answer = await client.post(f"{address}/api/v1/jobs/submit", files=files)
            job_id = answer.json()["job_id"]
            statuses = []
            for command in commands():
                printed = await run(command.replace(_ADDRESS, address), tmp_path, job_id)
                statuses.append((command.split("/api/v1")[1].strip('"'), printed.splitlines()[-1]))
        server.should_exit = True
        await serving
    assert [status for _, status in statuses] == ["202", "202", "200", "200", "200", "204", "200"]
