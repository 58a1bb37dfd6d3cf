"""`docs/architecture.md` names the rooms and functions of the service that are there."""

import importlib
import re
from functools import reduce
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "preprocess_service"
SECTION = (
    (ROOT / "docs" / "architecture.md")
    .read_text()
    .partition("## Inside the front service")[2]
    .partition("\n## ")[0]
)
NAME = re.compile(r"(?<![\w/.])([a-z_]+(?:/[a-z_]+)*)\.([A-Za-z_]+(?:\.[A-Za-z_]+)*)(?![\w/])")


def test_every_function_on_the_way_of_an_upload_is_there():
    found = [
        (path, name)
        for path, name in NAME.findall(SECTION)
        if name not in ("py", "toml") and path != "docs"
    ]
    assert len(found) > 25
    for path, name in found:
        module = importlib.import_module(f"preprocess_service.{path.replace('/', '.')}")
        assert reduce(getattr, name.split("."), module) is not None


def test_every_room_is_described():
    rooms = {path.parent.name for path in SERVICE.glob("*/__init__.py")}
    described = {
        name
        for row in re.findall(r"^\| (`.*?) \|", SECTION, flags=re.M)
        for name in re.findall(r"`(\w+)/`", row)
    }
    assert described == rooms
