# mypy: ignore-errors
"""Answers of a Paddle model to arrays on standard input; runs in Paddle's environment.

Standard library, numpy and Paddle only, nothing of this package. Arrays travel as `.npy`, one
after the other, in both directions.
"""

import os
import sys
from types import SimpleNamespace as Pipe  # what numpy takes for no file: those it seeks in

import numpy as np


def main(program, parameters):
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # Paddle prints on standard output
    from paddle import inference

    config = inference.Config(program, parameters)
    config.disable_gpu()
    config.disable_glog_info()
    predictor = inference.create_predictor(config)
    taken = predictor.get_input_handle(predictor.get_input_names()[0])
    given = predictor.get_output_handle(predictor.get_output_names()[0])
    while sys.stdin.buffer.peek(1):
        taken.copy_from_cpu(np.lib.format.read_array(Pipe(read=sys.stdin.buffer.read)))
        predictor.run()
        np.lib.format.write_array(Pipe(write=answers.write), given.copy_to_cpu())
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
