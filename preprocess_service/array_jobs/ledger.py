"""What is done already: a record beside the results for each document that was read whole."""

import hashlib
import os
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ocr_base.formats import EXTENSIONS
from preprocess_service.array_jobs.files import Folder, SourceFile
from preprocess_service.document import Document
from preprocess_service.options import OcrOptions
from preprocess_service.problem import Problem

#: Folder of the records and summaries within the output.
LEDGER = "_batch"


class Record(BaseModel):
    """The record of a document that was read, written after its result."""

    model_config = ConfigDict(frozen=True)

    source: str
    source_size: int
    source_version: str
    source_sha256: str
    options: dict[str, Any]
    release: int
    pages: int
    result: str
    result_size: int
    result_sha256: str


class Ledger:
    """Results, records and problems in the output folder, for one set of options."""

    def __init__(self, target: Folder, options: OcrOptions) -> None:
        self._target = target
        # A password opens the document and leaves no trace in what was read.
        self._options = options.model_dump(mode="json", exclude={"password"})
        self._extension = EXTENSIONS[options.output_format]

    def is_done(self, file: SourceFile) -> bool:
        """Whether this version was read whole with these options, and its result is there."""
        record = self._record(file)
        return (
            record is not None
            and (record.source_size, record.source_version) == (file.size, file.version)
            and record.options == self._options
            and self._target.size(file.name + self._extension) == record.result_size
        )

    def keep(self, file: SourceFile, sha256: str, document: Document, result: bytes) -> None:
        """Write the result; a document without failed pages is done with that."""
        name = file.name + self._extension
        self._target.write(name, result)
        self._target.remove(_problem_name(file))
        if document.status != "succeeded":
            return
        record = Record(
            source=printable(file.name),
            source_size=file.size,
            source_version=file.version,
            source_sha256=sha256,
            options=self._options,
            release=document.release,
            pages=len(document.pages),
            result=printable(name),
            result_size=len(result),
            result_sha256=hashlib.sha256(result).hexdigest(),
        )
        self._target.write(self._record_name(file), record.model_dump_json().encode())

    def keep_problem(self, file: SourceFile, problem: Problem) -> None:
        """Write why the document was not read."""
        self._target.write(_problem_name(file), problem.model_dump_json().encode())

    def keep_summary(self, name: str, summary: bytes) -> None:
        """Write the outcome of a whole run."""
        self._target.write(f"{LEDGER}/{name}", summary)

    def _record(self, file: SourceFile) -> Record | None:
        data = self._target.read(self._record_name(file))
        try:
            return Record.model_validate_json(data) if data else None
        except ValidationError:
            return None  # of another release of this program: read again

    def _record_name(self, file: SourceFile) -> str:
        return f"{LEDGER}/done/{file.name}{self._extension}.json"


def printable(name: str) -> str:
    """The name of a file as text, where its bytes are no UTF-8 too."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _problem_name(file: SourceFile) -> str:
    return f"{file.name}.problem.json"
