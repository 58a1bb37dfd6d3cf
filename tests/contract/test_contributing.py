"""`CONTRIBUTING.md` names files and make targets that are there."""

import re

from ocr_base.places import CHECKOUT

TEXT = (CHECKOUT / "CONTRIBUTING.md").read_text()
ROOMS = ("", "preprocess_service/")  # those of the service by their place in it too


def test_every_path_is_there():
    paths = re.findall(r"`((?:[\w.]+/)+(?:[\w.]+)?)`", TEXT)
    assert len(paths) > 15
    missing = [p for p in paths if not any((CHECKOUT / room / p).exists() for room in ROOMS)]
    assert missing == []


def test_every_target_is_one_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", TEXT)) <= targets
