"""The options of a request: one model for form fields, query and, later, JSON members."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from ocr_base.formats import OutputFormat
from ocr_base.reading import (
    CONFIDENCE_THRESHOLD,
    DEFAULT_STRATEGY,
    Enhancement,
    Strategy,
    TextLayer,
)
from preprocess_service.errors import InvalidOptionsError
from preprocess_service.page_range import parse_page_range
from preprocess_service.problem import quoted

#: The longest tag of BCP 47 that a registry knows has less.
_MAX_LANGUAGE_CHARACTERS = 35
_MAX_LANGUAGES = 100
#: A thousand pages out of a document of ten thousand, each named, are 5,000.
_MAX_PAGE_RANGE_CHARACTERS = 8192
_MAX_PASSWORD_CHARACTERS = 1024
_SENTENCES = 10
_NAME_CHARACTERS = 40


class OcrOptions(BaseModel):
    """How a document is to be read and written; every text is bounded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: Strategy = Field(
        default=DEFAULT_STRATEGY, description="Trade between speed and accuracy."
    )
    language: tuple[Annotated[str, Field(max_length=_MAX_LANGUAGE_CHARACTERS)], ...] = Field(
        default=("en",),
        min_length=1,
        max_length=_MAX_LANGUAGES,
        description="Languages of the document: `en`, `de`, `zh-TW` …, several separated by commas "
        "or by repeating the option; `auto`: any, with the full alphabet.",
    )
    output_format: OutputFormat = Field(
        default="json", description="What the answer is; without it, `Accept` chooses."
    )
    dpi: int | None = Field(
        default=None,
        ge=50,
        le=600,
        description="Resolution at which PDF pages are drawn (default: by strategy). An image "
        "keeps its own pixels.",
    )
    confidence_threshold: float = Field(
        default=CONFIDENCE_THRESHOLD,
        ge=0,
        le=1,
        description="Lines under it are left out and counted.",
    )
    enhance: Enhancement | None = Field(
        default=None,
        description="How far pages are enhanced before they are read; `auto`: what their measured "
        "quality asks for (default: speed `none`, balanced and accuracy `auto`; accuracy deskews "
        "with `auto` too).",
    )
    detect_orientation: bool | None = Field(
        default=None, description="Find pages that lie sideways (default: by strategy)."
    )
    words: bool = Field(
        default=False,
        description="Give each line's `words` with their boxes. Text that is written without "
        "spaces (Chinese, Japanese) is one word per line. Refused with text, markdown and html, "
        "which show none; a job's result may be asked for in any format.",
    )
    rows: bool = Field(
        default=True,
        description="What stands side by side (an item and its price, the cells of a table) is "
        "one row of the text, its columns divided by tabs; `false`: each line is a row.",
    )
    page_range: str | None = Field(
        default=None,
        max_length=_MAX_PAGE_RANGE_CHARACTERS,
        description="Pages to read, such as `1-5,7,9-`.",
        examples=["1-5,7,9-"],
    )
    password: str | None = Field(
        default=None, max_length=_MAX_PASSWORD_CHARACTERS, description="Opens the document."
    )
    merge_pages: bool = Field(
        default=False,
        description="json: the text of all pages as `text` too; text: no form feed between pages. "
        "Refused with other formats; a job's result may be asked for in any.",
    )
    scrub: bool = Field(
        default=False,
        description="pdf: leave out what the PDF does and carries beside its pages: scripts, "
        "actions other than links, attached files, forms that are programs. Refused with other "
        "formats, except for jobs.",
    )
    text_layer: TextLayer = Field(
        default="auto",
        description="`auto`: a PDF page's own text where it is all that a reader sees there and "
        "makes sense, else OCR (`source` of the page says which); `only`: never OCR, a page "
        "without readable text has no lines, text that is not painted (as under scans) counts; "
        "`ignore`: always OCR. Images have none: with them `only` is refused.",
    )

    @field_validator("page_range")
    @classmethod
    def _check_page_range(cls, value: str | None) -> str | None:
        if value is not None:
            parse_page_range(value)
        return value


_LISTS = {"language"}


def parse_options(pairs: Iterable[tuple[str, str]]) -> OcrOptions:
    """The options out of names and values as they came, from any number of places.

    Raises:
        InvalidOptionsError: One is unknown, given twice, ill-formed or not installed; the message
            names it.
    """
    values: dict[str, object] = {}
    for name, value in pairs:
        if not value.strip():
            continue  # forms send the fields that nobody filled in
        if name in _LISTS:
            items = [item.strip() for item in value.split(",") if item.strip()]
            values[name] = [*_as_list(values.get(name)), *items]
        elif values.setdefault(name, value) != value:
            raise InvalidOptionsError(f"{_named(name)}: given twice with different values.")
    try:
        return OcrOptions.model_validate(values)
    except ValidationError as exc:
        raise InvalidOptionsError(_explain(exc)) from exc


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _explain(error: ValidationError) -> str:
    """One sentence per option; values are repeated only for options that hold no secret."""
    found = error.errors(include_url=False, include_context=False)
    sentences = [_sentence(item) for item in found[:_SENTENCES]]
    if len(found) > _SENTENCES:
        sentences.append(f"And {len(found) - _SENTENCES} more.")
    return " ".join(sentences)


def _sentence(item: ErrorDetails) -> str:
    name = str(item["loc"][0])
    if item["type"] == "extra_forbidden":
        return f"{_named(name)}: no such option; known: {', '.join(OcrOptions.model_fields)}."
    shown = "" if name == "password" else f", not {quoted(item['input'])}"
    return f"{name}: {item['msg']}{shown}."


def _named(name: str) -> str:
    """A name as the caller wrote it, if it can be one."""
    return name if name.isidentifier() and len(name) <= _NAME_CHARACTERS else quoted(name)
