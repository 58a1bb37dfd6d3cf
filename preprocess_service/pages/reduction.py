"""How much smaller a large image is read, so that it fits into memory."""

import math
import resource
import struct

from PIL import Image, Jpeg2KImagePlugin, JpegImagePlugin

from preprocess_service.pages.source import PageSize

_REDUCTIONS = (1, 2, 4, 8)
# Of a pixel as Pillow holds it; all colors take four.
_BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "LA": 4, "PA": 4}
# Files that are decoded whole may take as much as the largest page in color does.
_RGB_BYTES = 3
# A coefficient of a JPEG that comes in several scans, which are held until the last.
_COEFFICIENT_BYTES = 2
# A value of JPEG 2000 while it is decoded, and its share of the smaller pictures.
_WAVELET_BYTES = 6
# What decoders and the conversion of colors need beside the pixels.
_WORKING_BYTES = 48 << 20
# Of a JPEG 2000 codestream: how it starts, and the marker that says how often it can be halved.
_START = b"\xff\x4f\xff\x51"
_CODING_STYLE, _LEAST_MARKER = 0xFF52, 0xFF00
# The header stands near the front: behind boxes that hold at most a color profile.
_SEARCHED_BYTES = 4 << 20
_LEVELS_AT = 9


def choose_reduction(image: Image.Image, max_pixels: int) -> int | None:
    """The least reduction at which an image that is not yet decoded can be read; None without.

    JPEG and JPEG 2000 are decoded at a fraction of their size, in a fraction of the memory, as far
    as what this process may take asks for it. Others are decoded whole, and shrunk then.
    """
    most = most_reduction(image, max_pixels)
    for reduction in filter(most.__ge__, _REDUCTIONS):
        size = PageSize(*image.size, reduction)
        if size.is_within(max_pixels) and _bytes_to_read(image, size) <= _allowed_bytes():
            return reduction
    return None


def most_reduction(image: Image.Image, max_pixels: int) -> int:
    """The largest reduction that its format, or the memory for a whole image, leaves it."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return _REDUCTIONS[-1]
    if isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        return min(1 << count_reductions(image), _REDUCTIONS[-1])
    whole = math.prod(image.size) * _pixel_bytes(image)
    return _REDUCTIONS[-1] if whole <= _RGB_BYTES * max_pixels else 1


def reduce_decoding(image: Image.Image, reduction: int) -> int:
    """Have the image decoded smaller; what is left to be done afterwards of the reduction."""
    if reduction == 1:
        return 1
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        width, height = image.size
        image.draft(None, (width // reduction, height // reduction))
        return 1
    if isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        image.reduce = reduction.bit_length() - 1
        return 1
    return reduction


def count_reductions(image: Jpeg2KImagePlugin.Jpeg2KImageFile) -> int:
    """How many times the image can be halved while it is decoded; 0 where that is not found."""
    assert image.fp is not None, "the image was decoded or closed"
    position = image.fp.tell()
    image.fp.seek(0)
    head = image.fp.read(_SEARCHED_BYTES)
    image.fp.seek(position)
    # The second marker of the start has a length, as all have behind it.
    at = head.find(_START) + 2
    while at >= 2 and at + _LEVELS_AT < len(head):
        marker, length = struct.unpack_from(">HH", head, at)
        if marker == _CODING_STYLE:
            return int(head[at + _LEVELS_AT])
        if marker < _LEAST_MARKER:
            break
        at += 2 + length
    return 0


def _pixel_bytes(image: Image.Image) -> int:
    return _BYTES_OF_MODE.get(image.mode, 4)


def _bytes_to_read(image: Image.Image, size: PageSize) -> int:
    """What decoding takes where that depends on the reduction."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        whole, decoder_bytes = _coefficient_bytes(image), 0
    elif isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        whole, decoder_bytes = 0, _WAVELET_BYTES * len(image.getbands())
    else:
        return 0
    each = decoder_bytes + _pixel_bytes(image) + _RGB_BYTES
    return whole + math.prod(size.read) * each + _WORKING_BYTES


def _coefficient_bytes(image: JpegImagePlugin.JpegImageFile) -> int:
    """What a progressive JPEG takes at any reduction; nothing for one that comes row by row."""
    if not image.info.get("progressive"):
        return 0
    most = max((across * down for _, across, down, _ in image.layer), default=1)
    share = sum(across * down for _, across, down, _ in image.layer) / most
    return math.ceil(math.prod(image.size) * share) * _COEFFICIENT_BYTES


def _allowed_bytes() -> float:
    """What this process may take for a document: the limit of its files in memory says it too."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return math.inf if limit == resource.RLIM_INFINITY else limit
