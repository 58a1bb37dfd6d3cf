"""Settings of reading: Triton, the pages in flight, and what a document may take."""

from pydantic import Field, field_validator

from ocr_base.places import TRITON_URL
from ocr_base.reading import PAGE_DPI
from ocr_base.settings import EnvironmentSettings


class ReadingSettings(EnvironmentSettings):
    """How documents become pages, and pages text."""

    triton_url: str = Field(default=TRITON_URL, description="host:port of Triton's gRPC endpoint.")
    triton_timeout: float = Field(
        default=120, gt=0, description="Seconds that Triton may take over one page."
    )
    default_dpi: int = Field(
        default=PAGE_DPI,
        ge=50,
        le=600,
        description="Resolution of drawn PDF pages where neither the request nor its strategy "
        "says one.",
    )
    max_pixels: int = Field(
        default=100_000_000,
        ge=1_000_000,
        description="Most pixels read of one page, checked before it is decoded or drawn; larger "
        "images may be read smaller.",
    )
    pdf_max_pages: int = Field(
        default=1000, ge=1, description="Most pages read in one request, of a PDF or an image file."
    )
    max_result_mb: int = Field(
        default=32,
        ge=1,
        description="Largest text of one document with its coordinates, as JSON in 2^20 bytes; "
        "the pages beyond it carry a problem.",
    )
    max_batch_size: int = Field(
        default=50,
        ge=1,
        description="Pages in flight at once, over all documents; one caller's are at most three "
        "quarters of them.",
    )
    document_pages_in_flight: int = Field(
        default=8, ge=1, description="Pages in flight at once of one document."
    )
    page_memory_mb: int = Field(
        default=1024,
        ge=1,
        description="Pixels of all pages in flight, in 2^20 bytes; one "
        "caller's are at most three quarters of them.",
    )
    rasterizer_processes: int = Field(
        default=0,
        ge=0,
        description="Processes that decode and draw pages, of which one caller has all but one at "
        "most; 0: one per usable core and one more, fewer where the memory that may be used would "
        "not hold them at their limit.",
    )
    rasterizer_memory_mb: int = Field(
        default=1024, ge=128, description="Memory that each of them may take, in 2^20 bytes."
    )
    page_timeout: float = Field(
        default=20, gt=0, description="Seconds that opening a file or drawing one page may take."
    )
    document_processor_time: float = Field(
        default=60,
        gt=0,
        description="Seconds of a processor that decoding and drawing a document may take.",
    )
    page_processor_time: float = Field(
        default=2, ge=0, description="Seconds more of it for each page that was drawn."
    )
    gpu_memory_buffer_mb: int = Field(
        default=500,
        ge=0,
        description="Memory to stay free, in 2^20 bytes: of the fullest GPU, without one of the "
        "machine. MAX_BATCH_SIZE and PAGE_MEMORY_MB shrink while less than twice that is free; "
        "0: never.",
    )

    @field_validator("triton_url")
    @classmethod
    def _check_triton_url(cls, value: str) -> str:
        host, _, port = value.removeprefix("grpc://").rpartition(":")
        if not host or not port.isdigit() or "/" in host:
            raise ValueError("must be host:port of Triton's gRPC endpoint, such as triton:8001")
        return f"{host}:{port}"
