"""What can go wrong with the local stack, told as what failed, why, and what to change."""


class EmbeddedError(Exception):
    """The local stack cannot go on; the text is meant for the person at the terminal."""


class UnsupportedHostError(EmbeddedError):
    """This machine, Python or environment cannot run the server of the wheel."""


class PortTakenError(EmbeddedError):
    """A port of the stack is in use or named twice."""


class ModelMissingError(EmbeddedError):
    """The model repository lacks something that Triton would fail on."""


class RuntimeFolderBusyError(EmbeddedError):
    """Another stack runs in the same runtime folder."""


class StartError(EmbeddedError):
    """A child died or missed its deadline before it was ready."""


class SelfCheckError(EmbeddedError):
    """The started stack did not read its own sample page."""
