"""The options of a request: one model for form fields, query and, later, JSON members."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from preprocess_service.errors import InvalidOptionsError
from preprocess_service.page_range import parse_page_range

Strategy = Literal["speed", "balanced", "accuracy"]
OutputFormat = Literal[
    "json", "text", "structured", "markdown", "html", "hocr", "alto", "tsv", "pdf"
]


class OcrOptions(BaseModel):
    """How a document is to be read and written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: Strategy = Field(default="balanced", description="Trade between speed and accuracy.")
    language: tuple[str, ...] = Field(
        default=("en",),
        min_length=1,
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
        default=0.5, ge=0, le=1, description="Lines under it are left out and counted."
    )
    enhance: Literal["none", "auto", "light", "moderate", "aggressive"] | None = Field(
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
        "spaces (Chinese, Japanese) is one word per line.",
    )
    page_range: str | None = Field(
        default=None, description="Pages to read, such as `1-5,7,9-`.", examples=["1-5,7,9-"]
    )
    password: str | None = Field(default=None, max_length=1024, description="Opens the document.")
    merge_pages: bool = Field(
        default=False,
        description="json: the text of all pages as `text` too; text: no form feed between pages.",
    )
    text_layer: Literal["ignore", "auto", "only"] = Field(
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
            raise InvalidOptionsError(f"{name}: given twice with different values.")
    try:
        return OcrOptions.model_validate(values)
    except ValidationError as exc:
        raise InvalidOptionsError(_explain(exc)) from exc


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _explain(error: ValidationError) -> str:
    """One sentence per option; values are repeated only for options that hold no secret."""
    sentences = []
    for item in error.errors(include_url=False, include_context=False):
        name = str(item["loc"][0])
        if item["type"] == "extra_forbidden":
            known = ", ".join(OcrOptions.model_fields)
            sentences.append(f"{name}: no such option; known: {known}.")
        else:
            shown = "" if name == "password" else f", not {item['input']!r}"
            sentences.append(f"{name}: {item['msg']}{shown}.")
    return " ".join(sentences)
