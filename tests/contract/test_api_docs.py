"""The table of paths in `docs/api.md` has each path of the OpenAPI document, and no other."""

import re
from pathlib import Path

from ocr_base.version import API
from preprocess_service.settings import Settings
from preprocess_service.wiring import make_app
from tests.fakes import FakeEngine

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_path_stands_in_the_documentation_and_no_other():
    rows = re.findall(r"^\| (GET|POST|PUT|PATCH|DELETE) (.*?) \|", DOCS.read_text(), re.MULTILINE)
    documented = [(method, path) for method, paths in rows for path in re.findall("`(.*?)`", paths)]
    served = {
        (method.upper(), path.removeprefix(API))
        for path, operations in make_app(Settings(), FakeEngine()).openapi()["paths"].items()
        for method in operations
    }
    assert len(documented) == len(set(documented))
    assert set(documented) == served
