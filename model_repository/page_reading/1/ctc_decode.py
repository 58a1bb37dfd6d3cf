"""From code points per time step to text: greedy decoding of Connectionist Temporal Classification.

Graves et al., "Connectionist Temporal Classification", ICML 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class DecodedLine:
    """Characters with the first and last time step of each, and their probabilities."""

    characters: list[str]
    starts: IntArray
    ends: IntArray
    probabilities: npt.NDArray[np.float32]

    @property
    def text(self) -> str:
        """The characters as one string."""
        return "".join(self.characters)

    @property
    def confidence(self) -> float:
        """The mean probability of the characters, 0 without any."""
        return float(self.probabilities.mean()) if self.characters else 0.0

    def without(self, index: int) -> DecodedLine:
        """The line without one of its characters."""
        return DecodedLine(
            self.characters[:index] + self.characters[index + 1 :],
            np.delete(self.starts, index),
            np.delete(self.ends, index),
            np.delete(self.probabilities, index),
        )


def decode_line(
    codepoints: npt.NDArray[np.int32], probabilities: npt.NDArray[np.float32]
) -> DecodedLine:
    """Return the characters of one line.

    Args:
        codepoints: INT32 [steps], 0 is blank.
        probabilities: FP32 [steps], of the winning class.
    """
    changes = np.flatnonzero(codepoints[1:] != codepoints[:-1]) + 1
    starts = np.concatenate(([0], changes))
    ends = np.concatenate((changes, [len(codepoints)])) - 1
    kept = codepoints[starts] != 0
    starts, ends = starts[kept], ends[kept]
    characters = [chr(codepoint) for codepoint in codepoints[starts].tolist()]
    return DecodedLine(characters, starts, ends, probabilities[starts])
