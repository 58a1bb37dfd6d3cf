"""Odd, damaged and hostile documents, drawn by code, each with what the service must say to it."""

from tests.odd_files import bombs, damaged, images, pdfs
from tests.odd_files.odd_file import OddFile

ODD_FILES: list[OddFile] = [*images.FILES, *pdfs.FILES, *damaged.FILES, *bombs.FILES]

__all__ = ["ODD_FILES", "OddFile"]
