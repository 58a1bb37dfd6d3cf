"""The tables of exit statuses are those of the code."""

import re
from pathlib import Path

import pytest

from ocr_cli import errors as cli
from preprocess_service.array_jobs import errors as batch

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "statuses"), [("cli.md", cli.ExitStatus), ("batch.md", batch.ExitStatus)]
)
def test_exit_statuses_are_those_of_the_docs(page, statuses):
    table = (DOCS / page).read_text().split("| exit status | meaning |\n")[1].split("\n\n")[0]
    documented = {
        int(number)
        for row in table.splitlines()
        for number in re.findall(r"`(\d+)`", row.split("|")[1])
    }
    assert documented == set(statuses)
