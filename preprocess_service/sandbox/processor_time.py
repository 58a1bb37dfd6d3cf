"""The processor time that documents in work have taken, and its limit."""

from dataclasses import dataclass

from cachetools import TTLCache

from preprocess_service.errors import DocumentTooCostlyError

_MOST_DOCUMENTS = 4096
_FORGOTTEN_AFTER_SECONDS = 3600.0


@dataclass(frozen=True)
class ProcessorTime:
    """The processor time that one document may take: a fixed part, and one for each page."""

    document_seconds: float
    page_seconds: float

    def of(self, pages: int) -> float:
        """Seconds that a document with so many pages may take."""
        return self.document_seconds + pages * self.page_seconds


@dataclass
class _Account:
    seconds: float = 0.0
    tasks: int = 0


class Accounts:
    """The processor time taken by each document, by its id."""

    def __init__(self, allowed: ProcessorTime) -> None:
        self.allowed = allowed
        self._accounts: TTLCache[str, _Account] = TTLCache(
            _MOST_DOCUMENTS, _FORGOTTEN_AFTER_SECONDS
        )

    def require_left(self, document_id: str) -> None:
        """Refuse another task of a document that has used up its processor time.

        Raises:
            DocumentTooCostlyError: It has taken more than it may.
        """
        account = self._accounts.get(document_id, _Account())
        if account.seconds > self.allowed.of(account.tasks):
            raise DocumentTooCostlyError(
                f"Decoding and drawing it has taken {account.seconds:.0f} s of a processor for "
                f"{account.tasks} pages; allowed are {self.allowed.document_seconds:g} s "
                f"(DOCUMENT_PROCESSOR_TIME) and {self.allowed.page_seconds:g} s a page "
                "(PAGE_PROCESSOR_TIME)."
            )

    def charge(self, document_id: str, seconds: float) -> None:
        """Add the processor time of a task, such as opening a document or drawing a page."""
        account = self._accounts.get(document_id, _Account())
        account.seconds += seconds
        account.tasks += 1
        self._accounts[document_id] = account
