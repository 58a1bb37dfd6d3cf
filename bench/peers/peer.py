"""What a peer must offer to be measured."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from quality.predictions import Line

RgbPage = npt.NDArray[np.uint8]
"""A page as rows, columns, RGB; contiguous."""


class PeerUnavailableError(Exception):
    """The peer is not installed on this machine; the message says what would install it."""


class Peer(Protocol):
    """A loaded engine that reads one page at a time with a fixed number of threads."""

    version: str

    def read(self, page: RgbPage, language: str) -> list[Line] | None:
        """Return the page's lines in reading order, boxes in its pixels.

        ``None``: the engine has no model for the language (a code such as `en` or `zh-tw`).
        """
        ...
