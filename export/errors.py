"""What can stop an export; every message says what is wrong and how to mend it."""

from __future__ import annotations


class ExportError(Exception):
    """Base of all failures that a command reports without a traceback."""


class SpecError(ExportError):
    """models.toml or languages.toml does not say what it should."""


class FetchError(ExportError):
    """A source cannot be had, or its bytes are not the pinned ones."""


class AlphabetError(ExportError):
    """A dictionary does not fit its model, or an alphabet lacks letters that it must write."""


class SurgeryError(ExportError):
    """A published graph does not have the form that the surgery expects."""


class ParityError(ExportError):
    """An exported graph does not answer as the published one."""


class EnvironmentMissingError(ExportError):
    """An environment for other packages cannot be made."""


class PaddleError(ExportError):
    """A Paddle model cannot be converted or run."""


class PlanError(ExportError):
    """TensorRT cannot build a plan, or builds another one than was asked for."""


class HostError(ExportError):
    """The serving host cannot do what is asked of it."""
