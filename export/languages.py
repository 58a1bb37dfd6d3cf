"""Which languages each recognizer writes: computed letter by letter from its alphabet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from export.alphabet import Alphabet
from export.errors import AlphabetError, SpecError
from export.spec import Spec
from export.tables import read_toml

# A text of any language holds these.
LETTERS_OF_ALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;!?-()"

LANGUAGES_TOML = Path(__file__).with_name("languages.toml")


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Language:
    """A language's English name and the letters, both cases, that its everyday text needs."""

    name: str
    letters: str


@dataclass(frozen=True)
class Gap:
    """Characters that an alphabet lacks for a language, in the order of the language's letters."""

    code: str
    language: Language
    missing: str


def read_languages(path: Path = LANGUAGES_TOML) -> dict[str, Language]:
    """Return the languages by code, or raise SpecError naming what is wrong in the file."""
    try:
        return TypeAdapter(dict[str, Language]).validate_python(read_toml(path))
    except ValidationError as error:
        lines = (f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SpecError("\n".join((f"{path} is not a valid languages table:", *lines))) from error


def needs(language: Language) -> str:
    """Return every character that a text of a language needs, its own letters first."""
    return language.letters + LETTERS_OF_ALL


def find_gap(alphabet: Alphabet, code: str, language: Language) -> Gap | None:
    """Return what an alphabet lacks for a language; None where it writes it."""
    has = alphabet.characters
    missing = "".join(c for c in dict.fromkeys(needs(language)) if c not in has)
    return Gap(code, language, missing) if missing else None


def written(alphabet: Alphabet, languages: Mapping[str, Language]) -> list[str]:
    """Return the codes of the languages whose every letter an alphabet has."""
    return [code for code, lang in languages.items() if find_gap(alphabet, code, lang) is None]


def require(
    alphabet: Alphabet, model: str, codes: Iterable[str], languages: Mapping[str, Language]
) -> None:
    """Raise AlphabetError, naming the missing characters, unless all languages can be written."""
    faults = []
    for code in codes:
        if code not in languages:
            raise SpecError(f"language '{code}' is not in languages.toml: add it there")
        gap = find_gap(alphabet, code, languages[code])
        if gap is not None:
            faults.append(f"{code} ({gap.language.name}) lacks {' '.join(gap.missing)}")
    if faults:
        raise AlphabetError(
            f"{model}, alphabet '{alphabet.name}', cannot write {'; '.join(faults)}"
        )


def recognizers_by_language(
    spec: Spec, writes: Mapping[str, list[str]]
) -> dict[str, dict[str, str]]:
    """Return strategy → language code → recognizer.

    The first of the strategy's own recognizers that writes a language is taken, else the first
    other one; a language that no recognizer writes is absent.
    """
    codes = dict.fromkeys(code for model in spec.recognizers() for code in writes[model])
    table: dict[str, dict[str, str]] = {}
    for name, strategy in spec.strategies.items():
        order = dict.fromkeys([*strategy.recognition, *spec.recognizers()])
        table[name] = {
            code: next(model for model in order if code in writes[model]) for code in codes
        }
    return table


def default_recognizer(spec: Spec, strategy: str) -> str:
    """Return what reads when no language is named: the strategy's first full alphabet."""
    for model in spec.strategies[strategy].recognition:
        if spec.models[model].alphabet == "full":
            return model
    raise SpecError(f"strategies.{strategy}.recognition names no model with alphabet 'full'")
