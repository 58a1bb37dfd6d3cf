"""The options that a request may carry, as flags; a test holds them against the server's."""

import argparse
from dataclasses import dataclass
from typing import Any, get_args

from ocr_base.formats import OutputFormat
from ocr_base.reading import (
    CONFIDENCE_THRESHOLD,
    DEFAULT_STRATEGY,
    STRATEGIES,
    Enhancement,
    TextLayer,
)


@dataclass(frozen=True)
class OcrOption:
    """One option of the server and how it is written on the command line."""

    name: str
    help: str
    flags: tuple[str, ...] = ()
    choices: tuple[str, ...] | None = None
    is_switch: bool = False
    is_list: bool = False

    def add_to(self, parser: argparse._ArgumentGroup) -> None:
        """Add the flag; the server's default holds where it is not given."""
        flags = (*self.flags, f"--{self.name.replace('_', '-')}")
        settings: dict[str, Any] = {"dest": self.name, "help": self.help, "default": None}
        if self.is_switch:
            settings["action"] = argparse.BooleanOptionalAction
        else:
            settings |= {"choices": self.choices, "action": "append" if self.is_list else "store"}
            settings["metavar"] = None if self.choices else self.name.rpartition("_")[2].upper()
        parser.add_argument(*flags, **settings)


OPTIONS = (
    OcrOption(
        "output_format",
        "what to write (default: by the name given with -o, else text)",
        flags=("-f", "--format"),
        choices=get_args(OutputFormat),
    ),
    OcrOption("strategy", f"speed or accuracy ({DEFAULT_STRATEGY})", ("-s",), STRATEGIES),
    OcrOption(
        "language",
        "languages of the document, such as en,de; may be repeated; auto: any (en)",
        flags=("-l",),
        is_list=True,
    ),
    OcrOption("page_range", "pages to read, such as 1-5,7,9- (all)", flags=("--pages",)),
    OcrOption("password", "opens encrypted documents (or OCR_PASSWORD, which others cannot see)"),
    OcrOption("dpi", "resolution at which PDF pages are drawn, 50-600 (by strategy)"),
    OcrOption("confidence_threshold", f"leave out lines under it, 0-1 ({CONFIDENCE_THRESHOLD})"),
    OcrOption(
        "enhance",
        "prepare pages before they are read (by strategy)",
        choices=get_args(Enhancement),
    ),
    OcrOption("detect_orientation", "find pages that lie sideways (by strategy)", is_switch=True),
    OcrOption("words", "boxes of words too (not in text, markdown, html)", is_switch=True),
    OcrOption("rows", "what stands side by side is one row of the text (yes)", is_switch=True),
    OcrOption("scrub", "leave out scripts, actions and attached files (pdf)", is_switch=True),
    OcrOption("merge_pages", "the text of all pages as one (json, text)", is_switch=True),
    OcrOption(
        "text_layer",
        "what to do with text that a PDF brings along",
        choices=get_args(TextLayer),
    ),
)


def form_fields(arguments: argparse.Namespace) -> dict[str, str]:
    """The options that were given, as the server's form takes them."""
    given = {option.name: getattr(arguments, option.name) for option in OPTIONS}
    return {name: _as_text(value) for name, value in given.items() if value is not None}


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
