"""What can stop a release command; what is live stays live."""

from __future__ import annotations

from export.errors import ExportError


class ReleaseError(ExportError):
    """A release cannot be staged, switched or removed."""


class GateError(ReleaseError):
    """A candidate reads worse than what is live, or cannot be served at all."""
