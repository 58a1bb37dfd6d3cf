"""Which releases Triton serves, as the public `ocr` says, and which of them reads a request."""

import zlib

from pydantic import BaseModel, ConfigDict, ValidationError
from tritonclient.grpc import model_config_pb2

from preprocess_service.errors import EngineContractError


class Canary(BaseModel):
    """A candidate that gets a share of the documents, and reads a share of pages in the shadow."""

    release: int
    share: float = 0.0
    shadow: float = 0.0


class Releases(BaseModel):
    """What is live, what was before it, and what may be next."""

    model_config = ConfigDict(frozen=True)

    live: int
    previous: int | None = None
    canary: Canary | None = None

    @property
    def served(self) -> frozenset[int]:
        """Every release that a document can be read with."""
        canary = self.canary.release if self.canary else None
        return frozenset(n for n in (self.live, self.previous, canary) if n is not None)

    def choose(self, request_id: str | None, release: int | None) -> int:
        """The release for a request: the one named if it is served, the canary's, or the live."""
        if release is not None and release in self.served:
            return release
        if self.canary and request_id and _share_of(request_id) < self.canary.share:
            return self.canary.release
        return self.live


def read_releases(config: model_config_pb2.ModelConfig) -> Releases:
    """What a public model's configuration says.

    Raises:
        EngineContractError: It says nothing of releases.
    """
    try:
        return Releases.model_validate_json(config.parameters["releases"].string_value)
    except ValidationError as exc:
        message = "Triton does not say which release is live: run `python -m export install`."
        raise EngineContractError(message) from exc


def _share_of(request_id: str) -> float:
    """A number from 0 to 1, the same in every process."""
    return zlib.crc32(request_id.encode()) / 2**32
