"""Triton merges lines across requests: its own statistics are the proof."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tritonclient.grpc as grpc

from ocr_base.places import CHECKOUT
from releases.naming import served_name
from releases.store import ReleaseStore
from tests.drawing import draw_page, sentence
from tests.integration.whole_stack import StackTriton

RECOGNIZER = "text_recognition_tiny_latin"
CONCURRENCY = 8


def read(address: str, pages: Sequence[np.ndarray], concurrency: int) -> float:
    """Read the pages and return the mean number of lines per execution of the recognizer."""
    with grpc.InferenceServerClient(address) as client:
        before = _counts(client)
        with ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(lambda page: _read_page(client, page), pages))
        lines, executions = np.subtract(_counts(client), before)
    return float(lines / executions)


def _counts(client: grpc.InferenceServerClient) -> tuple[int, int]:
    live = ReleaseStore(CHECKOUT / ".releases").state().live
    assert live is not None
    (stats,) = client.get_inference_statistics(served_name(RECOGNIZER, live)).model_stats
    return stats.inference_count, stats.execution_count


def _read_page(client: grpc.InferenceServerClient, page: np.ndarray) -> None:
    pixels = grpc.InferInput("PIXELS", list(page.shape), "UINT8")
    pixels.set_data_from_numpy(page)
    options = []
    for name, value in (("STRATEGY", b"speed"), ("LANGUAGE", b"en")):
        options.append(grpc.InferInput(name, [1], "BYTES"))
        options[-1].set_data_from_numpy(np.array([value], np.object_))
    client.infer("page_reading", [pixels, *options])


def test_lines_of_concurrent_requests_are_merged(triton: StackTriton, record_property):
    address = f"127.0.0.1:{triton.settings.triton_grpc_port}"
    # Dense pages: the recognizer is what they wait for, so its queue fills.
    texts = [[sentence(p + i, words=4 + i % 4) for i in range(30)] for p in range(12)]
    pages = [draw_page(lines, size=11) for lines in texts]
    single = read(address, pages, concurrency=1)
    merged = read(address, pages, concurrency=CONCURRENCY)
    print(f"mean batch: {single:.2f} alone, {merged:.2f} at concurrency {CONCURRENCY}")
    record_property("mean_batch_alone", single)
    record_property("mean_batch_concurrent", merged)
    assert merged > 1.2 * single, f"{single:.2f} lines an execution alone, {merged:.2f} together"
