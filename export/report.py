"""What the commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from export.alphabet import Alphabet
from export.languages import Language, find_gap, written
from export.spec import Spec

if TYPE_CHECKING:
    from export.parity import Comparison


def print_parity(console: Console, comparisons: Sequence[Comparison]) -> None:
    """Print a row for each model that was proven."""
    if not comparisons:
        return
    table = Table("model", "inputs", "same", "greatest difference", "allowed")
    for c in comparisons:
        difference, allowed = f"{c.difference:.1e}", f"{c.tolerance:.1e}"
        table.add_row(c.model, str(c.inputs), str(c.same), difference, allowed)
    table.columns[0].no_wrap = True
    console.print(table)


def print_models(
    console: Console,
    spec: Spec,
    alphabets: Mapping[str, Alphabet],
    languages: Mapping[str, Language],
) -> None:
    """Print every model with its source, and the languages that a recognizer writes."""
    for name, model in spec.models.items():
        source = spec.sources[model.source]
        console.print(f"{name}: {model.task}, from {source.place} ({source.licence})")
        if name in alphabets:
            alphabet = alphabets[name]
            codes = " ".join(written(alphabet, languages))
            console.print(f"  {len(alphabet.codepoints)} classes, writes {codes}")


def print_language(
    console: Console, code: str, language: Language, alphabets: Mapping[str, Alphabet]
) -> None:
    """Print who writes a language, and which characters the others lack."""
    console.print(f"{code}: {language.name}")
    for model, alphabet in alphabets.items():
        gap = find_gap(alphabet, code, language)
        answer = "writes it" if gap is None else f"lacks {' '.join(gap.missing)}"
        console.print(f"  {model} {answer}")
