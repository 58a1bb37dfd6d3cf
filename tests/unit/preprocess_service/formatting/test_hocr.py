"""hOCR 1.2 by the rules of its specification, as far as a document of ours can break them."""

import re

import pytest
from lxml import etree

from preprocess_service.formatting.hocr import write_hocr
from tests.unit.preprocess_service.formatting.conftest import ARABIC, HOSTILE
from tests.unit.preprocess_service.formatting.documents import document, line, page, tilted

_XHTML = "{http://www.w3.org/1999/xhtml}"
#: Class → the class that it stands in, and the properties that it must and may have.
_CLASSES = {
    "ocr_page": (None, {"bbox"}, {"ppageno", "scan_res", "image"}),
    "ocr_carea": ("ocr_page", {"bbox"}, set()),
    "ocr_par": ("ocr_carea", {"bbox"}, set()),
    "ocr_line": ("ocr_par", {"bbox", "x_wconf"}, {"baseline", "textangle"}),
    "ocrx_word": ("ocr_line", {"bbox", "x_wconf"}, set()),
}
_INTEGER, _NUMBER = r"-?\d+", r"-?\d+(\.\d+)?"
_GRAMMAR = {
    "bbox": rf"{_INTEGER}( {_INTEGER}){{3}}",
    "ppageno": r"\d+",
    "scan_res": r"\d+ \d+",
    "x_wconf": r"\d+",
    "baseline": rf"{_NUMBER} {_NUMBER}",
    "textangle": _NUMBER,
}


def _properties(element):
    pairs = [item.strip().split(" ", 1) for item in element.get("title").split(";")]
    found = dict(pairs)
    assert len(found) == len(pairs)
    for name, value in found.items():
        assert re.fullmatch(_GRAMMAR[name], value), (name, value)
    return found


def _box(element):
    x0, y0, x1, y1 = map(int, _properties(element)["bbox"].split())
    assert 0 <= x0 <= x1
    assert 0 <= y0 <= y1
    return x0, y0, x1, y1


def _parent_class(element):
    while (element := element.getparent()) is not None:
        if (element.get("class") or "").startswith("ocr"):
            return element.get("class")
    return None


def validate(data: bytes):
    """The root of the document, which obeys the specification."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(data, parser)
    assert root.tag == f"{_XHTML}html"
    assert root.find(f"{_XHTML}head/{_XHTML}title").text
    meta = {item.get("name"): item.get("content") for item in root.iter(f"{_XHTML}meta")}
    assert meta["ocr-system"]
    used = {item.get("class") for item in root.iter() if item.get("class")}
    assert used <= set(meta["ocr-capabilities"].split()) == set(_CLASSES)
    for element in root.xpath("//*[starts-with(@class, 'ocr')]"):
        inside, required, allowed = _CLASSES[element.get("class")]
        assert _parent_class(element) == inside
        properties = set(_properties(element))
        assert required <= properties <= required | allowed
        _box(element)
        assert 0 <= int(_properties(element).get("x_wconf", 0)) <= 100
    identifiers = [item.get("id") for item in root.iter() if item.get("id")]
    assert len(set(identifiers)) == len(identifiers)
    return root


def _find(root, name):
    return root.xpath(f"//*[@class='{name}']")


def test_awkward_document_is_valid(awkward):
    root = validate(write_hocr(awkward))
    assert len(_find(root, "ocr_page")) == 4
    words = [item.text for item in _find(root, "ocrx_word")]
    assert HOSTILE in words
    assert ARABIC in words
    assert words[-2:] == ["two", "words"]


def test_page_says_its_number_size_and_resolution():
    root = validate(write_hocr(document(page(number=7, dpi=144))))
    (made,) = _find(root, "ocr_page")
    assert _properties(made) == {"bbox": "0 0 600 800", "ppageno": "6", "scan_res": "144 144"}
    assert root.get("lang") == "en"


def test_line_without_words_is_one_word():
    root = validate(write_hocr(document(page(line("one line", 50.4, 40.6, width=80)))))
    (made,), (word,) = _find(root, "ocr_line"), _find(root, "ocrx_word")
    assert _box(made) == _box(word) == (50, 40, 131, 61)
    assert (word.text, _properties(word)["x_wconf"]) == ("one line", "90")


def test_words_stand_where_they_are():
    two = line("two words", 50, 40, words=("two", "words"))
    words = _find(validate(write_hocr(document(page(two)))), "ocrx_word")
    assert [(word.text, _box(word)) for word in words] == [
        ("two", (50, 40, 80, 60)), ("words", (90, 40, 140, 60)),
    ]  # fmt: skip
    assert "".join(words[0].getparent().itertext()).strip() == "two words"


def test_baseline_follows_the_line_s_slope():
    falling = tilted("falling", ((100, 100), (300, 120), (298, 140), (98, 120)))
    (made,) = _find(validate(write_hocr(document(page(falling)))), "ocr_line")
    slope, offset = map(float, _properties(made)["baseline"].split())
    assert slope == pytest.approx(0.1)
    # The foot of the line begins 20 pixels above the box's, the baseline a fifth of 20 higher.
    assert offset == pytest.approx(-24, abs=0.5)


def test_vertical_line_says_its_angle_instead():
    upwards = tilted("upwards", ((50, 500), (70, 500), (70, 700), (50, 700)))
    (made,) = _find(validate(write_hocr(document(page(upwards)))), "ocr_line")
    assert float(_properties(made)["textangle"]) == pytest.approx(90)
