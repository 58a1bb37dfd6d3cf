"""The options of a request, by form, query and `Accept`; unknown parameters are refused."""

from fastapi import Depends, Request

from preprocess_service.api.receiving.fields import Pairs
from preprocess_service.errors import InvalidOptionsError, InvalidRequestError, NotAcceptableError
from preprocess_service.formatting import FORMATS
from preprocess_service.options import OcrOptions, parse_options

# A job may be asked for in other formats than it was submitted for; an answer here has one.
_SHOWN_IN = {
    "words": ("json", "structured", "hocr", "alto", "tsv", "pdf"),
    "merge_pages": ("json", "text"),
    "scrub": ("pdf",),
}

#: Options without a meaning for images.
PDF_OPTIONS = ("dpi", "password", "scrub")


def request_options(request: Request, fields: Pairs, without: tuple[str, ...] = ()) -> OcrOptions:
    """The options of form and query; `Accept` chooses the format where they do not.

    Raises:
        InvalidOptionsError: One of them cannot be honoured, or not in that format, or is one of
            `without`, which would change nothing here.
        NotAcceptableError: No format in `Accept` is written here.
    """
    pairs = [*request.query_params.multi_items(), *fields]
    if not any(name == "output_format" and value.strip() for name, value in pairs):
        pairs.append(("output_format", negotiate_format(accepted(request))))
    options = parse_options(pairs)
    for name in without:
        if name in options.model_fields_set:
            raise InvalidOptionsError(f"{name}: changes nothing here; /ocr/process takes it.")
    _check_shown(options)
    return options


def _check_shown(options: OcrOptions) -> None:
    for name, formats in _SHOWN_IN.items():
        if getattr(options, name) and options.output_format not in formats:
            raise InvalidOptionsError(
                f"{name}: {options.output_format} does not show it; {', '.join(formats)} do."
            )


def accepted(request: Request) -> str:
    """`Accept`, in however many lines it came; empty without one."""
    return ",".join(request.headers.getlist("accept"))


def negotiate_format(accept: str, default: str = "json") -> str:
    """The output format that the header likes best; `default` where it leaves the choice.

    Raises:
        NotAcceptableError: It likes none of them.
    """
    if not accept:
        return default
    ranges = [_parse(part) for part in accept.split(",")]
    liked = {name: like for name in FORMATS if (like := _liking(name, ranges)) and like[0] > 0}
    if not liked:
        raise NotAcceptableError(
            f"Accept: {accept[:200]!r} names none of "
            f"{', '.join(item.media_type for item in FORMATS.values())}."
        )
    return max(liked, key=lambda name: (liked[name], name == default))


def _parse(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return media_range, float(quality)
    except ValueError:
        return media_range, 0.0


def _liking(name: str, ranges: list[tuple[str, float]]) -> tuple[float, int, int] | None:
    """Quality, narrowness and place (the first is greatest) of the narrowest range that fits."""
    media_type = FORMATS[name].media_type.partition(";")[0]
    fitting = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    found = [
        (fitting.index(media_range), -place, quality)
        for place, (media_range, quality) in enumerate(ranges)
        if media_range in fitting
    ]
    if not found:
        return None
    narrowness, place, quality = max(found)
    return quality, narrowness, place


async def _refuse_unknown(request: Request) -> None:
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            has = f"known: {', '.join(known)}" if known else "there are none here"
            raise InvalidRequestError(f"{name[:100]!r}: no such parameter; {has}.")
        if len(set(request.query_params.getlist(name))) > 1:
            raise InvalidRequestError(f"{name!r}: given twice with different values.")


#: Of a route whose query parameters are those of its signature: refuses any other with
#: `InvalidRequestError`, and one that is given twice with different values.
NO_OTHER_PARAMETERS = Depends(_refuse_unknown)
