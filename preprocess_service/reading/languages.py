"""Language codes: those that callers write → those of the installed models."""

from collections.abc import Collection, Mapping, Sequence

from preprocess_service.errors import InvalidOptionsError

#: Read with the full alphabet, whatever the language.
ANY_LANGUAGE = "auto"

#: Codes of ISO 639-2, Tesseract and PaddleOCR that people bring along, as BCP 47.
_ALIASES = {
    "ch": "zh", "chs": "zh", "cn": "zh", "chinese": "zh", "chi_sim": "zh", "zho": "zh", "chi": "zh",
    "zh-cn": "zh", "zh-hans": "zh", "zh-sg": "zh",
    "cht": "zh-hant", "chi_tra": "zh-hant", "chinese_cht": "zh-hant", "zh-tw": "zh-hant",
    "zh-hk": "zh-hant", "zh-mo": "zh-hant",
    "jp": "ja", "japan": "ja", "japanese": "ja", "jpn": "ja",
    "kr": "ko", "korean": "ko", "kor": "ko",
    "eng": "en", "english": "en", "deu": "de", "ger": "de", "german": "de",
    "fra": "fr", "fre": "fr", "french": "fr", "spa": "es", "ita": "it", "por": "pt",
    "nld": "nl", "dut": "nl", "pol": "pl", "ces": "cs", "cze": "cs", "tur": "tr", "rus": "ru",
    "ell": "el", "gre": "el", "ara": "ar",
}  # fmt: skip


def languages_of(
    strategy: str, by_strategy: Mapping[str, Collection[str]], release: int
) -> Collection[str]:
    """The codes that a strategy of a release reads.

    Raises:
        InvalidOptionsError: The release has no such strategy.
    """
    if strategy not in by_strategy:
        raise InvalidOptionsError(
            f"strategy: {strategy!r} is not in release {release} of the models; available: "
            f"{', '.join(sorted(by_strategy))}."
        )
    return by_strategy[strategy]


def resolve_languages(requested: Sequence[str], available: Collection[str]) -> tuple[str, ...]:
    """The codes of the installed models for the codes asked for; empty for `auto`.

    `EN`, `en-US` and `eng` all find `en`; `zh-TW` finds `zh-hant` or else `zh`.

    Raises:
        InvalidOptionsError: No installed model of the strategy writes one of them.
    """
    if [code.strip().lower() for code in requested] == [ANY_LANGUAGE]:
        return ()
    by_lower = {code.lower(): code for code in available}
    found = {code: _find(code, by_lower) for code in requested}
    missing = [code for code, match in found.items() if match is None]
    if missing:
        raise InvalidOptionsError(
            f"language: no installed model writes {', '.join(map(repr, missing))}; available: "
            f"{', '.join([ANY_LANGUAGE, *sorted(available)])}."
        )
    return tuple(dict.fromkeys(match for match in found.values() if match is not None))


def _find(code: str, by_lower: dict[str, str]) -> str | None:
    plain = code.strip().lower()
    tag = plain.replace("_", "-")
    alias = _ALIASES.get(plain) or _ALIASES.get(tag)
    candidates = [tag, alias, tag.partition("-")[0], alias.partition("-")[0] if alias else None]
    return next((by_lower[name] for name in candidates if name in by_lower), None)
