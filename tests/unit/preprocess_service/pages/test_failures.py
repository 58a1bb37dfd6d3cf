"""Whatever the decoders may raise is an error of the table."""

import errno
import importlib
import inspect

import cv2
import pymupdf
import pytest
from PIL import Image

from preprocess_service.errors import (
    DocumentTooCostlyError,
    InvalidDocumentError,
    PageTooLargeError,
)
from preprocess_service.pages.failures import document_error

LIBRARIES = ("pymupdf", "pymupdf.mupdf", "PIL", "PIL.Image", "cv2", "zlib", "struct", "builtins")


def _exceptions(name):
    kinds = (kind for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass))
    return {
        kind for kind in kinds if issubclass(kind, Exception) and kind.__name__ != "ExceptionGroup"
    }


KINDS = sorted(
    {kind for name in LIBRARIES for kind in _exceptions(name)},
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)


def _made(kind):
    """One without what its constructor asks for."""
    return type(kind.__name__, (kind,), {"__init__": lambda _: None, "__str__": lambda _: ""})()


def test_there_is_something_to_look_at():
    assert {pymupdf.mupdf.FzErrorSystem, Image.DecompressionBombError, cv2.error} < set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_exception_is_mapped(kind):
    error = document_error(_made(kind))
    assert isinstance(error, InvalidDocumentError | DocumentTooCostlyError)
    assert error.status == 422


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        cv2.error("Insufficient memory"),
        OSError(errno.EFBIG, "File too large"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_want_of_memory_is_told(error):
    assert isinstance(document_error(error), DocumentTooCostlyError)


def test_errors_of_this_service_pass():
    assert isinstance(document_error(PageTooLargeError("x")), PageTooLargeError)
