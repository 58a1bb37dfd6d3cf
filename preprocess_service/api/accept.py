"""Content negotiation: the output format that `Accept` asks for."""

from preprocess_service.errors import NotAcceptableError
from preprocess_service.formatting import FORMATS

_DEFAULT = "json"


def negotiate_format(accept: str | None) -> str:
    """The installed output format that the header likes best; json where it leaves the choice.

    Raises:
        NotAcceptableError: It likes none of them.
    """
    if not accept:
        return _DEFAULT
    ranges = sorted((_parse(part) for part in accept.split(",")), key=lambda item: -item[1])
    for media_range, quality in ranges:
        if quality > 0 and (name := _find(media_range)):
            return name
    raise NotAcceptableError(
        f"Accept: {accept[:200]!r} names none of "
        f"{', '.join(item.media_type for item in FORMATS.values())}."
    )


def _parse(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return media_range, float(quality)
    except ValueError:
        return media_range, 0.0


def _find(media_range: str) -> str | None:
    if media_range == "*/*":
        return _DEFAULT
    for name, written in FORMATS.items():
        media_type = written.media_type.partition(";")[0]
        if media_range in (media_type, f"{media_type.partition('/')[0]}/*"):
            return name
    return None
