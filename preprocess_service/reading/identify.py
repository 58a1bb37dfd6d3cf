"""What an upload is and how it is to be read, found once, before anything of it is opened."""

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from ocr_base.reading import page_dpi
from preprocess_service.errors import InvalidOptionsError
from preprocess_service.inference.engine import CallContext, OcrEngine, ReadingOptions
from preprocess_service.options import OcrOptions
from preprocess_service.pages.media_types import HEAD_BYTES, PDF, sniff_media_type
from preprocess_service.pages.source import RasterRequest
from preprocess_service.reading.languages import languages_of, resolve_languages

#: Refuses a media type that is not taken.
CheckType = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """What one document may take."""

    max_pages: int
    max_pixels: int
    default_dpi: int
    pages_in_flight: int
    max_result_bytes: int = 32 << 20

    @property
    def variant(self) -> str:
        """The limits that change answers, as text for the keys of a cache that servers share."""
        return f"{self.default_dpi} dpi, {self.max_pixels} pixels, {self.max_pages}"


@dataclass(frozen=True)
class StrategyDefaults:
    """How a strategy enhances pages where the request says nothing.

    Attributes:
        enhance: Level of enhancement.
        deskew: Whether `auto` levels the lines too.
    """

    enhance: str = "auto"
    deskew: bool = False


_DEFAULTS = StrategyDefaults()
_OTHER_DEFAULTS = {
    "speed": StrategyDefaults(enhance="none"),
    "accuracy": StrategyDefaults(deskew=True),
}


@dataclass(frozen=True)
class Upload:
    """A document's file, what it is, and how it is to be read.

    Attributes:
        file: A file of the operating system (it has a `fileno`), at any position.
        raster: Its media type, and how its pages become pixels.
        reading: Release, strategy and languages, and how its pixels become lines.
        received_at: When it was complete, by `time.perf_counter`.
    """

    file: BinaryIO
    options: OcrOptions
    context: CallContext
    raster: RasterRequest
    reading: ReadingOptions
    received_at: float = field(default_factory=time.perf_counter)

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the upload was complete."""
        return (time.perf_counter() - self.received_at) * 1000


class Identifier:
    """Identifies uploads by their first bytes, the limits, and the releases of the engine."""

    def __init__(self, engine: OcrEngine, limits: Limits) -> None:
        self._engine = engine
        self._limits = limits

    async def identify(
        self,
        file: BinaryIO,
        options: OcrOptions,
        context: CallContext,
        *,
        check_type: CheckType | None = None,
        release: int | None = None,
    ) -> Upload:
        """The file as an upload that can be read with these options.

        Args:
            file: A file of the operating system, at any position.
            options: How it is to be read.
            context: The request that it is read for.
            check_type: Refuses media types beside those that are read anywhere.
            release: With which pages of it were read before; another is taken if it is gone.

        Raises:
            ServiceError: The file is no document, an option cannot be honoured, or the engine is
                away.
        """
        received_at = time.perf_counter()
        raster = self.raster_request(file, options, context.caller)
        if check_type is not None:
            check_type(raster.media_type)
        if options.text_layer == "only" and raster.media_type != PDF:
            raise InvalidOptionsError(f"text_layer: only a PDF has one, not {raster.media_type}.")
        engine = await self._engine.describe(context.request_id, release)
        available = languages_of(options.strategy, engine.languages, engine.release)
        reading = ReadingOptions(
            engine.release,
            options.strategy,
            resolve_languages(options.language, available),
            options.detect_orientation,
            options.words,
        )
        return Upload(file, options, context, raster, reading, received_at)

    def raster_request(self, file: BinaryIO, options: OcrOptions, caller: str) -> RasterRequest:
        """The media type of the file, and how its pages become pixels.

        Raises:
            InvalidDocumentError: There are no bytes.
            UnsupportedMediaTypeError: It is none of the types that are read here.
        """
        defaults = _OTHER_DEFAULTS.get(options.strategy, _DEFAULTS)
        enhance = options.enhance or defaults.enhance
        return RasterRequest(
            document_id=uuid.uuid4().hex,
            media_type=sniff_media_type(os.pread(file.fileno(), HEAD_BYTES, 0)),
            dpi=options.dpi or page_dpi(options.strategy, self._limits.default_dpi),
            max_pages=self._limits.max_pages,
            max_pixels=self._limits.max_pixels,
            caller=caller,
            page_range=options.page_range,
            password=options.password,
            text_layer=options.text_layer,
            words=options.words,
            scrub=options.scrub,
            enhance=enhance,
            deskew=defaults.deskew and enhance == "auto",
        )
