"""The type of a document, from its first bytes; names and declared types are never trusted."""

from preprocess_service.errors import InvalidDocumentError, UnsupportedMediaTypeError

PDF = "application/pdf"
#: As many bytes as `sniff_media_type` looks at.
HEAD_BYTES = 1024

_STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"BM", "image/bmp"),
)
_HEIC_BRANDS = {
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"msf1"),
}

#: Media type → name of Pillow's format.
IMAGE_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/gif": "GIF",
    "image/jp2": "JPEG2000",
    "image/bmp": "BMP",
    "image/webp": "WEBP",
    "image/heic": "HEIF",
}


def sniff_media_type(head: bytes) -> str:
    """The media type of a document that begins with `head`.

    Raises:
        InvalidDocumentError: There are no bytes.
        UnsupportedMediaTypeError: It is none of the types that are read here.
    """
    if not head:
        raise InvalidDocumentError("The file is empty.")
    media_type = _match(head)
    if media_type is None:
        raise UnsupportedMediaTypeError(
            "The bytes are no PDF, JPEG, PNG, TIFF, GIF, BMP, WebP, JPEG 2000 or HEIC."
        )
    return media_type


def _match(head: bytes) -> str | None:
    for start, media_type in _STARTS:
        if head.startswith(start):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "image/heic"
    # Readers accept junk in front of the header within the first 1024 bytes.
    return PDF if b"%PDF-" in head[:HEAD_BYTES] else None
