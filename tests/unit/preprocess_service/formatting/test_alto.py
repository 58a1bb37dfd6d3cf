"""ALTO by a grammar of the part that is written here, and by its own schema where one is given.

`ALTO_SCHEMA` names a file `alto-4-4.xsd` of the Library of Congress; it imports `xlink.xsd`, which
must be found where it says, or beside it by a changed `schemaLocation`.
"""

import os

import pytest
from lxml import etree

from preprocess_service.formatting.alto import write_alto
from tests.unit.preprocess_service.formatting.conftest import ARABIC, HOSTILE
from tests.unit.preprocess_service.formatting.documents import document, line, page

_ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
#: What is written, in RELAX NG: narrower than the schema of ALTO 4.4, never wider.
_GRAMMAR = """
<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="http://www.loc.gov/standards/alto/ns-v4#"
 datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
 <start><element name="alto">
  <attribute name="SCHEMAVERSION"><value>4.4</value></attribute>
  <attribute name="schemaLocation" ns="http://www.w3.org/2001/XMLSchema-instance"/>
  <element name="Description">
   <element name="MeasurementUnit"><value>pixel</value></element>
   <optional><element name="sourceImageInformation">
    <element name="documentIdentifier"><text/></element></element></optional>
   <element name="Processing"><attribute name="ID"><data type="ID"/></attribute>
    <element name="processingCategory"><value>contentGeneration</value></element>
    <element name="processingStepSettings"><text/></element>
    <element name="processingSoftware"><element name="softwareName"><text/></element>
     <element name="softwareVersion"><text/></element></element></element></element>
  <element name="Layout"><oneOrMore><ref name="page"/></oneOrMore></element>
 </element></start>
 <define name="page"><element name="Page"><attribute name="ID"><data type="ID"/></attribute>
  <attribute name="PHYSICAL_IMG_NR"><data type="positiveInteger"/></attribute>
  <attribute name="WIDTH"><data type="nonNegativeInteger"/></attribute>
  <attribute name="HEIGHT"><data type="nonNegativeInteger"/></attribute>
  <attribute name="PROCESSINGREFS"><data type="IDREFS"/></attribute>
  <optional><attribute name="PC"><ref name="share"/></attribute></optional>
  <optional><attribute name="QUALITY_DETAIL"/></optional>
  <element name="PrintSpace"><ref name="box"/><zeroOrMore><ref name="block"/></zeroOrMore></element>
 </element></define>
 <define name="block"><element name="TextBlock"><ref name="identified"/>
  <optional><attribute name="LANG"><data type="language"/></attribute></optional>
  <oneOrMore><element name="TextLine"><ref name="identified"/>
   <attribute name="BASELINE"><data type="string">
    <param name="pattern">-?\\d+,-?\\d+ -?\\d+,-?\\d+</param></data></attribute>
   <ref name="string"/><zeroOrMore><element name="SP"><empty/></element><ref name="string"/>
   </zeroOrMore></element></oneOrMore></element></define>
 <define name="string"><element name="String"><ref name="identified"/>
  <attribute name="CONTENT"/><attribute name="WC"><ref name="share"/></attribute></element></define>
 <define name="identified"><attribute name="ID"><data type="ID"/></attribute><ref name="box"/>
 </define>
 <define name="box"><attribute name="HPOS"><data type="nonNegativeInteger"/></attribute>
  <attribute name="VPOS"><data type="nonNegativeInteger"/></attribute>
  <attribute name="WIDTH"><data type="nonNegativeInteger"/></attribute>
  <attribute name="HEIGHT"><data type="nonNegativeInteger"/></attribute></define>
 <define name="share"><data type="float"><param name="minInclusive">0</param>
  <param name="maxInclusive">1</param></data></define>
</grammar>
"""


def validate(data: bytes):
    root = etree.fromstring(data)
    etree.RelaxNG(etree.fromstring(_GRAMMAR)).assertValid(root)
    identifiers = root.xpath("//@ID")
    assert len(set(identifiers)) == len(identifiers)
    return root


def _strings(root):
    return [item.get("CONTENT") for item in root.iter(f"{_ALTO}String")]


def test_awkward_document_is_valid(awkward):
    root = validate(write_alto(awkward))
    assert [item.get("PHYSICAL_IMG_NR") for item in root.iter(f"{_ALTO}Page")] == list("1234")
    assert HOSTILE in _strings(root)
    assert ARABIC in _strings(root)
    failed = list(root.iter(f"{_ALTO}Page"))[2]
    assert failed.get("QUALITY_DETAIL") == "It <failed> & broke."
    assert root.findtext(f".//{_ALTO}documentIdentifier") == "A <title> & more\ufffd"


@pytest.mark.skipif("ALTO_SCHEMA" not in os.environ, reason="ALTO_SCHEMA names no schema")
def test_awkward_document_obeys_the_schema_of_the_library_of_congress(awkward):
    schema = etree.XMLSchema(etree.parse(os.environ["ALTO_SCHEMA"]))
    schema.assertValid(etree.fromstring(write_alto(awkward)))
    english = awkward.model_copy(update={"language": ("en",)})
    schema.assertValid(etree.fromstring(write_alto(english)))


def test_boxes_are_whole_pixels_around_what_was_found():
    root = validate(write_alto(document(page(line("text", 50.4, 40.6, width=80)))))
    for name in ("TextBlock", "TextLine", "String"):
        (made,) = root.iter(f"{_ALTO}{name}")
        box = [made.get(side) for side in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
        assert box == ["50", "40", "81", "21"]
    (made,) = root.iter(f"{_ALTO}TextLine")
    assert made.get("BASELINE") == "50,57 130,57"
    assert next(root.iter(f"{_ALTO}String")).get("WC") == "0.9000"
    assert next(root.iter(f"{_ALTO}TextBlock")).get("LANG") == "en"


def test_words_are_strings_with_spaces_between():
    two = line("two words", 50, 40, words=("two", "words"))
    root = validate(write_alto(document(page(two), language=("en", "de"))))
    (made,) = root.iter(f"{_ALTO}TextLine")
    assert [etree.QName(child).localname for child in made] == ["String", "SP", "String"]
    assert _strings(root) == ["two", "words"]
    assert next(root.iter(f"{_ALTO}TextBlock")).get("LANG") is None
