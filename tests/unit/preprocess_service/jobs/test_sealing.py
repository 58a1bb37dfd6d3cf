"""A password that waits with its job is nowhere to be read."""

from pathlib import Path

import pymupdf
import pytest

from preprocess_service.jobs.files import seal, unseal
from tests.unit.preprocess_service.jobs.conftest import JOBS, finished, submit

PASSWORD = "Grüße-aus-dem-Tresor"


@pytest.mark.parametrize("password", ["", "a", PASSWORD, "語" * 1024])
def test_with_its_key_a_password_is_opened(password):
    sealed, key = seal(password)
    assert unseal(sealed, key) == password
    assert seal(password) != (sealed, key)
    assert len(key) % 64 == 0


def locked_pdf() -> bytes:
    with pymupdf.open() as pdf:
        pdf.new_page(width=200, height=100).insert_text((10, 50), "inside")
        locked = pymupdf.PDF_ENCRYPT_AES_256
        return bytes(pdf.tobytes(encryption=locked, user_pw=PASSWORD, owner_pw=f"{PASSWORD}!"))


async def test_no_file_of_any_store_has_the_password(client, worker, redis, settings):
    job_id = await submit(client, locked_pdf(), password=PASSWORD)
    assert (await finished(client, job_id))["status"] == "succeeded"
    answer = await client.get(f"{JOBS}/{job_id}/result", params={"output_format": "pdf"})
    with pymupdf.open(stream=answer.content) as pdf:
        assert pdf.authenticate(PASSWORD)
    folder = (await redis.config_get("dir"))["dir"]
    files = [path for path in _files(folder) + _files(settings.data_dir) if path.stat().st_size]
    assert any("appendonly" in path.name for path in files)
    data = [path.read_bytes() for path in files]
    assert any(job_id.encode() in item for item in data)
    for written in (PASSWORD, PASSWORD.encode("unicode_escape").decode()):
        assert not [item for item in data if written.encode() in item]


def _files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]
