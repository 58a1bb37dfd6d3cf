"""What a job has in the store of uploads: its document, and what opens its password.

The password itself is never anywhere in one piece: what is kept in Redis opens nothing without its
key, which lies with the uploads and goes with them.
"""

import asyncio
import io
import os
import secrets
from dataclasses import dataclass
from typing import BinaryIO

from preprocess_service.jobs.record import Job, Submission
from preprocess_service.options import OcrOptions
from preprocess_service.storage.uploads import UploadStore

# Fills a password up, so that nobody sees how long it is; no text in UTF-8 has it.
_FILLING = b"\xff"
_LENGTH_STEP = 64


@dataclass(frozen=True)
class JobFiles:
    """The keys of a job's files; a document that is to be fetched has none yet."""

    upload: str | None = None
    password_key: str | None = None


def size_of(file: BinaryIO) -> int:
    """How many bytes it has, wherever it stands."""
    return os.fstat(file.fileno()).st_size


async def save_files(
    uploads: UploadStore, submission: Submission, file: BinaryIO | None
) -> tuple[Submission, JobFiles]:
    """The submission as it may be written down, and what was kept for it.

    Raises:
        StorageFullError: There is no room for them; nothing of them is left.
        StorageUnavailableError: They cannot be kept.
    """
    name, password = submission.job_id, submission.options.password
    upload = await uploads.save(name, file) if file else None
    if password is None:
        return submission, JobFiles(upload)
    sealed, key = seal(password)
    try:
        password_key = await uploads.save(f"{name}.key", io.BytesIO(key))
    except BaseException:
        await delete_files(uploads, JobFiles(upload))
        raise
    options = submission.options.model_copy(update={"password": None})
    changes = {"options": options, "sealed_password": sealed}
    return submission.model_copy(update=changes), JobFiles(upload, password_key)


async def delete_files(uploads: UploadStore, files: JobFiles | Job) -> None:
    """Remove them; those that are gone are no error."""
    for key in filter(None, (files.upload, files.password_key)):
        await uploads.delete(key)


async def full_options(uploads: UploadStore, job: Job) -> OcrOptions:
    """The options that the job was submitted with, its password among them.

    Raises:
        JobAbandonedError: What opens the password is gone.
        StorageUnavailableError: It cannot be read.
    """
    options, sealed = job.submission.options, job.submission.sealed_password
    if sealed is None or job.password_key is None:
        return options
    async with uploads.open(job.password_key) as file:
        key = await asyncio.to_thread(file.read)
    return options.model_copy(update={"password": unseal(sealed, key)})


def seal(password: str) -> tuple[str, bytes]:
    """The password under a key of its own length that is used once, and that key."""
    data = password.encode()
    data = data.ljust(-(-max(len(data), 1) // _LENGTH_STEP) * _LENGTH_STEP, _FILLING)
    key = secrets.token_bytes(len(data))
    return _mix(data, key).hex(), key


def unseal(sealed: str, key: bytes) -> str:
    """The password that was sealed."""
    return _mix(bytes.fromhex(sealed), key).rstrip(_FILLING).decode()


def _mix(data: bytes, key: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, key, strict=True))
