"""Tesseract, the system's own program (Debian: tesseract-ocr, tesseract-ocr-<language>)."""

import csv
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from itertools import groupby

import cv2

from bench.peers.peer import PeerUnavailableError, RgbPage
from quality.predictions import Line

# Its names for the languages of a manifest.
LANGUAGES = {
    "ar": "ara",
    "de": "deu",
    "el": "ell",
    "en": "eng",
    "es": "spa",
    "fr": "fra",
    "it": "ita",
    "ja": "jpn",
    "pt": "por",
    "ru": "rus",
    "tr": "tur",
    "zh": "chi_sim",
    "zh-tw": "chi_tra",
}


class TesseractPeer:
    """Tesseract with its default segmentation; a language without its data is not answered."""

    def __init__(self, threads: int) -> None:
        if shutil.which("tesseract") is None:
            raise PeerUnavailableError("tesseract is not installed (Debian: tesseract-ocr)")
        self._environment = os.environ | {"OMP_THREAD_LIMIT": str(threads)}
        self.version = self._run("--version").split()[1]
        self._installed = set(self._run("--list-langs").split("\n")[1:])

    def read(self, page: RgbPage, language: str) -> list[Line] | None:
        """See `Peer`."""
        name = LANGUAGES.get(language)
        if name not in self._installed:
            return None
        _, encoded = cv2.imencode(".ppm", page[:, :, ::-1])
        return read_tsv(self._run("stdin", "stdout", "-l", name, "tsv", image=encoded.tobytes()))

    def _run(self, *arguments: str, image: bytes = b"") -> str:
        done = subprocess.run(
            ["tesseract", *arguments], input=image, env=self._environment, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"tesseract: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode()


def read_tsv(table: str) -> list[Line]:
    """Return the lines of Tesseract's TSV, which has a row for each word."""
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row["level"] == "5" and row["text"].strip()]
    by_line = groupby(words, lambda row: (row["block_num"], row["par_num"], row["line_num"]))
    return [_join(list(group)) for _, group in by_line]


def _join(words: list[Mapping[str, str]]) -> Line:
    return Line(
        text=" ".join(word["text"] for word in words),
        box=(
            min(_numbers(words, "left")),
            min(_numbers(words, "top")),
            max(_ends(words, "left", "width")),
            max(_ends(words, "top", "height")),
        ),
        confidence=sum(_numbers(words, "conf")) / len(words) / 100,
    )


def _numbers(words: Iterable[Mapping[str, str]], column: str) -> list[float]:
    return [float(word[column]) for word in words]


def _ends(words: list[Mapping[str, str]], start: str, length: str) -> list[float]:
    pairs = zip(_numbers(words, start), _numbers(words, length), strict=True)
    return [begin + extent for begin, extent in pairs]
