"""Elements of XML and HTML, written so that any text is safe in them."""

from xml.etree.ElementTree import Element, SubElement, tostring

from preprocess_service.formatting.characters import clean


def element(tag: str, text: str = "", **attributes: str) -> Element:
    """An element; a trailing underscore of an attribute's name is left out (`class_`)."""
    made = Element(tag, _named(attributes))
    made.text = clean(text) or None
    return made


def add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    """A new last child of `parent`."""
    made = SubElement(parent, tag, _named(attributes))
    made.text = clean(text) or None
    return made


def to_xml(root: Element) -> str:
    """The element as XML, without a declaration."""
    return tostring(root, encoding="unicode", short_empty_elements=True)


def to_html(root: Element) -> str:
    """The element as HTML."""
    return tostring(root, encoding="unicode", method="html")


def _named(attributes: dict[str, str]) -> dict[str, str]:
    return {name.rstrip("_"): clean(value) for name, value in attributes.items()}
