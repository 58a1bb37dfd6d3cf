"""`docs/api.md` has the error table and the option table as the code has them."""

import re
from pathlib import Path

from preprocess_service.errors import ERRORS
from preprocess_service.options import OcrOptions

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


def _table_after(heading: str) -> list[list[str]]:
    section = DOCS.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*) \|$", section, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows]


def test_errors_are_those_of_the_table():
    documented = [[row[0].strip("`"), *row[1:4]] for row in _table_after("Errors")]
    assert documented == [
        [
            error.code,
            str(int(error.status)),
            "yes" if error.retryable else "no",
            "page" if error.page_alone else "document",
        ]
        for error in ERRORS.values()
    ]


def test_options_are_those_of_the_model():
    documented = {row[0].strip("`"): row[1].strip("`") for row in _table_after("Options")}
    expected = {
        name: "" if field.default is None else _shown(field.default)
        for name, field in OcrOptions.model_fields.items()
    }
    assert documented == expected


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
