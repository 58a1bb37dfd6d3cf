"""From code points per time step to text: greedy decoding of Connectionist Temporal Classification.

Graves et al., "Connectionist Temporal Classification", ICML 2006.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def decode_line(
    codepoints: npt.NDArray[np.int32], probabilities: npt.NDArray[np.float32]
) -> tuple[str, float]:
    """Return the text of one line and its confidence: the mean probability of its characters.

    Args:
        codepoints: INT32 [steps], 0 is blank.
        probabilities: FP32 [steps], of the winning class.
    """
    kept = codepoints != 0
    kept[1:] &= codepoints[1:] != codepoints[:-1]
    if not kept.any():
        return "", 0.0
    text = "".join(map(chr, codepoints[kept].tolist()))
    return text, float(probabilities[kept].mean())
