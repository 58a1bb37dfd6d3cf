"""What several programs must agree on stands in `ocr_base`, once."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ocr_base.places import CHECKOUT

PACKAGES = (
    "bench", "deploy", "embedded", "export", "ocr_base", "ocr_cli", "preprocess_service", "quality",
    "releases",
)  # fmt: skip
#: Constants that are equal by chance, or that two programs must not share.
APART = {
    # Each runs where the other is not: one beside Triton, one in the checkout.
    "int8_ranges",
}
#: What one file alone may say, and how it would look elsewhere.
SAID_BY = {
    "_r{": "ocr_base/triton.py",
    "speed balanced accuracy": "ocr_base/reading.py",
    ".jpeg .tiff .heic": "ocr_base/formats.py",
    ".structured.json": "ocr_base/formats.py",
    "ocr-control-key": "ocr_base/triton.py",
    "/api/v1": "ocr_base/version.py",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True)
    for name in listed.stdout.split():
        if name.endswith(".py") and name.startswith((*PACKAGES, "model_repository")):
            path = CHECKOUT / name
            if path.is_file():
                yield name, ast.parse(path.read_text())


def texts(node: ast.AST, docstrings: set[int]) -> set[str]:
    return {
        found.value
        for found in ast.walk(node)
        if isinstance(found, ast.Constant)
        and isinstance(found.value, str)
        and id(found) not in docstrings
    }


def docstrings(module: ast.Module) -> set[int]:
    return {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}


def is_telling(node: ast.AST) -> bool:
    """Whether equal values are no chance: collections of constants, and texts that are names."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and len(node.value) > 3
    literals = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp, ast.Call)
    inner = [found for found in ast.walk(node) if isinstance(found, ast.Constant)]
    return isinstance(node, literals) and len(inner) > 2


def test_no_constant_stands_in_two_packages():
    places = defaultdict(set)
    for name, module in modules():
        if name.startswith("model_repository"):
            continue  # each release has its own copy, and imports nothing
        for node in module.body:
            if isinstance(node, ast.Assign) and is_telling(node.value):
                places[ast.unparse(node.value)].add(name)
    copied = {
        value: found
        for value, found in places.items()
        if len({name.split("/")[0] for name in found}) > 1 and not APART & {value.strip("'")}
    }
    assert copied == {}


def test_what_is_said_in_one_place_is_said_in_no_other():
    found = defaultdict(set)
    for name, module in modules():
        said = texts(module, docstrings(module))
        for fact in SAID_BY:
            words = fact.split()
            is_said = set(words) <= said if len(words) > 1 else any(fact in text for text in said)
            if is_said:
                found[fact].add(name)
        if any(isinstance(n, ast.JoinedStr) and "_r{" in ast.unparse(n) for n in ast.walk(module)):
            found["_r{"].add(name)
    assert found == {fact: {name} for fact, name in SAID_BY.items()}


def test_facts_need_python_alone():
    for name, module in modules():
        if name.startswith("ocr_base/") and Path(name).name != "settings.py":
            imported = {
                alias.name if isinstance(node, ast.Import) else node.module or ""
                for node in ast.walk(module)
                if isinstance(node, ast.Import | ast.ImportFrom)
                for alias in node.names
            }
            roots = {full.split(".")[0] for full in imported} - {"ocr_base"}
            assert roots <= sys.stdlib_module_names, name
