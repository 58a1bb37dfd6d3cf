"""Which golden page is read how: so that every recognizer that serves has pages of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from releases.golden import GoldenPage
from releases.routes import Routes

Draw = Callable[[Sequence[str]], GoldenPage]
"""Codes of languages → a page in them."""


@dataclass(frozen=True)
class Ask:
    """A page as clients would send it.

    Attributes:
        recognizer: Of the candidate, that reads it.
        is_new: The live release takes no such request: there is nothing to compare with.
    """

    page: GoldenPage
    strategy: str
    languages: tuple[str, ...]
    recognizer: str
    is_new: bool = False


@dataclass(frozen=True)
class Planner:
    """Plans what a candidate is asked beside the live release (None: nothing is live)."""

    candidate: Routes
    live: Routes | None
    draw: Draw

    def plan(self, pages: Sequence[GoldenPage], strategy: str) -> list[Ask]:
        """Return each page in its language, then pages for recognizers that none led to.

        A page in a language that nobody writes is read without one, beside the live release only:
        how well is no promise.
        """
        asks = [self._ask(page, strategy, self._languages(page)) for page in pages]
        asks = [ask for ask in asks if ask.languages or not ask.is_new]
        asks += self._without_language(asks, strategy)
        led_to = {ask.recognizer for ask in asks}
        return asks + [
            self._ask(self.draw(languages or ("en",)), strategy, languages)
            for name, languages in self.candidate.ways(strategy).items()
            if name not in led_to
        ]

    def _without_language(self, asks: Sequence[Ask], strategy: str) -> list[Ask]:
        """The first page that its language leads elsewhere than no language does."""
        default = self.candidate.defaults[strategy]
        written = self.candidate.writes[default]
        elsewhere = (
            ask.page for ask in asks
            if ask.recognizer != default and ask.page.item.language in written
        )  # fmt: skip
        return [self._ask(page, strategy, ()) for page in list(elsewhere)[:1]]

    def _languages(self, page: GoldenPage) -> tuple[str, ...]:
        code = page.item.language
        return (code,) if code in self.candidate.languages else ()

    def _ask(self, page: GoldenPage, strategy: str, languages: tuple[str, ...]) -> Ask:
        name = self.candidate.recognizer(strategy, languages)
        assert name is not None  # the languages are the candidate's own
        is_new = self.live is None or self.live.recognizer(strategy, languages) is None
        return Ask(page, strategy, languages, name, is_new)
