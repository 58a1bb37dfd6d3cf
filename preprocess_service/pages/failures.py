"""Errors of decoders and of drawing → errors that the caller is told."""

import errno

import cv2
import pymupdf

from preprocess_service.disk import NO_ROOM
from preprocess_service.errors import DocumentTooCostlyError, InvalidDocumentError
from preprocess_service.problem import ServiceError

# Files in memory have no room, or outgrow the limit of the process.
_NO_MEMORY = NO_ROOM | {errno.ENOMEM}
# MuPDF's classes of errors hold others beside these.
_OF_MUPDF = ("alloc (", "Overly large image")


def document_error(error: Exception) -> ServiceError:
    """The error for whatever a document made this process raise.

    Decoders raise anything on damaged input, so what is no want of memory is the document's fault.
    """
    if isinstance(error, ServiceError):
        return error
    if _is_want_of_memory(error):
        return DocumentTooCostlyError("It takes more memory than allowed (RASTERIZER_MEMORY_MB).")
    return InvalidDocumentError("The document is damaged.")


def _is_want_of_memory(error: Exception) -> bool:
    if isinstance(error, pymupdf.mupdf.FzErrorBase):
        return any(words in str(error) for words in _OF_MUPDF)
    if isinstance(error, OSError):
        return error.errno in _NO_MEMORY
    return isinstance(error, MemoryError | cv2.error)
