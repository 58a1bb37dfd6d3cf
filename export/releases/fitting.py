"""Whether a release can be served here at all: plans bind to a GPU architecture and a TensorRT."""

from __future__ import annotations

from export.errors import ReleaseError
from export.host import read_versions
from export.releases.manifest import Manifest

REBUILD = "python -m export release stage --device gpu --engine tensorrt"


def require_fit(manifest: Manifest, architecture: str | None) -> None:
    """Make sure that a release's plans were built for this host; others pass.

    Args:
        manifest: The release's.
        architecture: Of the GPU, such as SM89; None where none can be seen from here, as in a
            container without it: then Triton decides when it loads the plan.

    Raises:
        ReleaseError: They were not; the text has the command that builds them anew.
    """
    needs = manifest.needs
    here = {"gpu": architecture, "tensorrt": read_versions()["TENSORRT_VERSION"]}
    if "gpu" not in needs:
        return
    for what, found in here.items():
        if found is not None and not needs[what].startswith(found):
            raise ReleaseError(
                f"its plans were built for {what} {needs[what]}, this host has {found}: "
                f"build them here with `{REBUILD}`"
            )
