import contextlib
import pickle
import zlib

import pytest

from preprocess_service.reading.cache.entry import CorruptEntryError, pack_entry, unpack_entry


def test_entry_comes_back_as_it_was(document):
    entry = unpack_entry(pack_entry(document, 1234.5678).data)
    assert (entry.document, entry.expires_at) == (document, 1234.5678)


def test_compression_pays(document):
    many = document.model_copy(update={"pages": document.pages * 20})
    assert len(pack_entry(many, 1).data) * 5 < len(many.model_dump_json())


def test_text_with_line_breaks_stays_on_its_row(document):
    page = document.pages[0].model_copy(update={"text": "a\nb\r\n\u2028\x85c"})
    odd = document.model_copy(update={"pages": (page,)})
    assert unpack_entry(pack_entry(odd, 1).data).document == odd


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b""),
        zlib.compress(b"1.5"),
        zlib.compress(b"soon\n{}"),
        zlib.compress(b"1.5\n{}\n{}"),
        pickle.dumps({"a": 1}),
        zlib.compress(pickle.dumps({"a": 1})),
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(CorruptEntryError):
        unpack_entry(data)


def test_every_flipped_byte_and_every_cut_is_noticed(document):
    data = pack_entry(document, 1).data
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 0x55
        with contextlib.suppress(CorruptEntryError):
            assert unpack_entry(bytes(flipped)).document == document  # bytes that mean nothing
        with pytest.raises(CorruptEntryError):
            unpack_entry(data[:position])
