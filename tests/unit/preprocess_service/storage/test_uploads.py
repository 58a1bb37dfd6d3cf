"""Uploads in a folder and in a bucket of a local S3 server."""

import errno
import io
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from preprocess_service.errors import (
    JobAbandonedError,
    StorageFullError,
    StorageUnavailableError,
)
from preprocess_service.storage.uploads import UploadStore, hash_file

CONTENT = os.urandom(3 << 20)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    moto = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3").create_bucket(Bucket="uploads")
        yield "s3://uploads/ocr"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def uploads(request: pytest.FixtureRequest, tmp_path: Path) -> UploadStore:
    if request.param == "folder":
        return UploadStore((tmp_path / "uploads").as_uri())
    return UploadStore(request.getfixturevalue("bucket"))


async def test_an_upload_comes_back_as_a_file_until_it_is_deleted(uploads: UploadStore) -> None:
    key = await uploads.save("a", io.BytesIO(CONTENT))
    async with uploads.open(key) as file:
        assert os.pread(file.fileno(), 1 << 24, 0) == CONTENT
    await uploads.delete(key)
    await uploads.delete(key)
    with pytest.raises(JobAbandonedError):
        async with uploads.open(key):
            pass


async def test_days_that_are_over_are_removed_whoever_forgot_them(uploads: UploadStore) -> None:
    key = await uploads.save("b", io.BytesIO(b"b"))
    today = date.fromisoformat(key.partition("/")[0])
    await uploads.delete_days_before(today)
    async with uploads.open(key) as file:
        assert os.pread(file.fileno(), 9, 0) == b"b"
    await uploads.delete_days_before(today + timedelta(days=1))
    with pytest.raises(JobAbandonedError):
        async with uploads.open(key):
            pass


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    uploads = UploadStore((tmp_path / "uploads").as_uri())
    with pytest.raises(StorageFullError):
        await uploads.save("a", io.BytesIO(CONTENT))
    assert not files_in(tmp_path)


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("a file")
    with pytest.raises(StorageUnavailableError):
        await UploadStore((tmp_path / "uploads").as_uri()).save("a", io.BytesIO(b""))


async def test_equal_files_have_equal_hashes() -> None:
    file = io.BytesIO(CONTENT)
    file.seek(7)
    assert await hash_file(file) == await hash_file(io.BytesIO(CONTENT))
    assert await hash_file(io.BytesIO(b"")) != await hash_file(file)
