"""Uploads in a folder and in a bucket of a local S3 server."""

import errno
import io
import os
import socket
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from preprocess_service.errors import (
    JobAbandonedError,
    StorageFullError,
    StorageUnavailableError,
)
from preprocess_service.storage.uploads import UploadStore

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


async def test_uploads_are_closed_to_other_accounts(tmp_path: Path) -> None:
    store = UploadStore((tmp_path / "uploads").as_uri())
    await store.save("a", io.BytesIO(b"a"))
    assert (tmp_path / "uploads").stat().st_mode & 0o077 == 0


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


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket behind an endpoint that nobody listens at."""
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem.clear_instance_cache()  # they keep the address of another test's server
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{sock.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
        yield "s3://nowhere/ocr"
    s3fs.S3FileSystem.clear_instance_cache()


async def test_a_bucket_that_cannot_be_reached_is_told(nowhere: str) -> None:
    uploads = UploadStore(nowhere)
    with pytest.raises(StorageUnavailableError, match="JOB_STORAGE_URL"):
        await uploads.save("a", io.BytesIO(b""))
    with pytest.raises(StorageUnavailableError):
        async with uploads.open("2026-01-01/a"):
            pass
    with pytest.raises(StorageUnavailableError):
        await uploads.delete("2026-01-01/a")
    with pytest.raises(StorageUnavailableError):
        await uploads.delete_days_before(date.today())


async def test_a_bucket_s_file_that_finds_no_room_here_is_told(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = UploadStore(bucket)
    key = await uploads.save("c", io.BytesIO(CONTENT))
    # A device that is always full.
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(Path("/dev/full").open, "wb"))
    with pytest.raises(StorageFullError, match="TMPDIR"):
        async with uploads.open(key):
            pass
