"""What everyone who serves, starts or asks Triton has to agree on, and what it says of releases."""

import json
import re
from dataclasses import asdict, dataclass

PUBLIC = "ocr"
"""The model of callers who send images, which says in its parameter `RELEASES` what is live."""

READER = "page_reading"
"""The model that reads pixels, whose parameters describe its release."""

RELEASES = "releases"
CONFIG = "config.pbtxt"
MODEL_VERSION = "1"
"""Each release's models have names of their own, so one version is enough."""

CONTROL_HEADER = "ocr-control-key"
CONTROL_APIS = ("model-repository", "logging", "trace", "shared-memory")
"""What could change the server for everyone, or show one client the pages of another: any region
can be registered as shared memory, those of the model processes too."""

_SERVED = re.compile(r".+_r([1-9]\d*)")


def served_name(model: str, release: int) -> str:
    """Return what a release's model is called in Triton."""
    return f"{model}_r{release}"


def release_of(served: str) -> int | None:
    """Return the release that a name in Triton belongs to, None for a public name."""
    match = _SERVED.fullmatch(served)
    return int(match[1]) if match else None


@dataclass(frozen=True)
class Canary:
    """A candidate beside the live release: shares, from 0 to 1, of what clients of HTTP send.

    `share` of the documents is answered by it, `shadow` of the pages is read with it too.
    """

    release: int
    share: float = 0.0
    shadow: float = 0.0


@dataclass(frozen=True)
class Releases:
    """What is live, what was before it, and what may be next."""

    live: int
    previous: int | None = None
    canary: Canary | None = None

    @property
    def served(self) -> tuple[int, ...]:
        """Every release that a document can be read with, the live one first."""
        canary = self.canary.release if self.canary else None
        return tuple(n for n in (self.live, self.previous, canary) if n is not None)

    def to_json(self) -> str:
        """Return the value of the parameter `RELEASES`."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Releases":
        """Return what the parameter says.

        Raises:
            ValueError: It says nothing of releases.
        """
        try:
            told = json.loads(text)
            canary = told.get("canary")
            live, previous = int(told["live"]), told.get("previous")
            return cls(live, previous, Canary(**canary) if canary else None)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no table of releases: {text!r}") from error
