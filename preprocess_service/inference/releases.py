"""Which of the releases that Triton serves reads a request."""

import zlib

from tritonclient.grpc import model_config_pb2

from ocr_base.triton import RELEASES, Releases
from preprocess_service.errors import EngineContractError


def choose(releases: Releases, request_id: str | None, release: int | None) -> int:
    """The release for a request: the one named if it is served, the canary's, or the live."""
    if release is not None and release in releases.served:
        return release
    canary = releases.canary
    if canary and request_id and _share_of(request_id) < canary.share:
        return canary.release
    return releases.live


def read_releases(config: model_config_pb2.ModelConfig) -> Releases:
    """What a public model's configuration says.

    Raises:
        EngineContractError: It says nothing of releases.
    """
    try:
        return Releases.from_json(config.parameters[RELEASES].string_value)
    except ValueError as exc:
        message = "Triton does not say which release is live: run `python -m releases install`."
        raise EngineContractError(message) from exc


def _share_of(request_id: str) -> float:
    """A number from 0 to 1, the same in every process."""
    return zlib.crc32(request_id.encode()) / 2**32
