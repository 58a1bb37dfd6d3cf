"""What those who call Triton directly rely on."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest
import tritonclient.grpc as grpc

from export.host import read_versions
from tests.drawing import assert_reads, draw_page, sentence, to_png
from tests.integration.whole_stack import StackTriton

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client(triton: StackTriton):
    with grpc.InferenceServerClient(address(triton)) as connected:
        yield connected


def address(triton: StackTriton) -> str:
    return f"127.0.0.1:{triton.settings.triton_grpc_port}"


def texts_tensor(name: str, *values: bytes) -> grpc.InferInput:
    tensor = grpc.InferInput(name, [len(values)], "BYTES")
    tensor.set_data_from_numpy(np.array(values, np.object_))
    return tensor


def pixels_tensor(name: str, pixels: np.ndarray) -> grpc.InferInput:
    tensor = grpc.InferInput(name, list(pixels.shape), "UINT8")
    tensor.set_data_from_numpy(np.ascontiguousarray(pixels))
    return tensor


def read_image(client, image: bytes, model: str = "ocr_speed") -> grpc.InferResult:
    return client.infer(model, [texts_tensor("IMAGE", image)])


def read_pixels(client, pixels: np.ndarray, *more: grpc.InferInput) -> grpc.InferResult:
    strategy = texts_tensor("STRATEGY", b"speed")
    return client.infer("page_reading", [pixels_tensor("PIXELS", pixels), strategy, *more])


def test_this_is_the_triton_that_is_pinned(client):
    assert client.get_server_metadata().version == read_versions()["TRITON_VERSION"]


def lines_of(result: grpc.InferResult) -> list[str]:
    return [text.decode() for text in result.as_numpy("TEXT")]


LINES = [sentence(i) for i in range(6)]


@pytest.mark.parametrize("model", ["ocr", "ocr_speed", "ocr_balanced", "ocr_accuracy"])
def test_every_ensemble_reads_a_page(client, model, live_release):
    result = read_image(client, to_png(draw_page(LINES)), model)
    assert_reads(lines_of(result), LINES)
    assert result.as_numpy("POLYGON").shape == (len(LINES), 4, 2)
    assert result.as_numpy("CONFIDENCE").min() > 0.9
    assert result.as_numpy("RELEASE").tolist() == [live_release]


def test_photo_beyond_the_limit_is_read_in_its_own_pixels(client):
    """A JPEG of 121 megapixels; 120 are decoded. Its text is drawn at four times the size."""
    page = draw_page(LINES)[..., 0]
    photo = np.full((10_000, 12_100), 255, np.uint8)
    height, width = (4 * side for side in page.shape)
    photo[:height, :width] = cv2.resize(page, (width, height), interpolation=cv2.INTER_CUBIC)
    result = read_image(client, cv2.imencode(".jpg", photo)[1].tobytes())
    assert_reads(lines_of(result), LINES)
    once = read_image(client, to_png(draw_page(LINES))).as_numpy("POLYGON")
    assert np.abs(result.as_numpy("POLYGON") / 4 - once).max() < 8


def test_blank_page_returns_empty_tensors(client):
    result = read_image(client, to_png(np.full((800, 600, 3), 255, np.uint8)))
    assert result.as_numpy("TEXT").shape == (0,)
    assert result.as_numpy("POLYGON").shape == (0, 4, 2)


def test_undecodable_image_is_invalid_for_that_request_alone(client):
    with pytest.raises(grpc.InferenceServerException, match="not a readable image") as raised:
        read_image(client, b"no image")
    assert raised.value.status() == "StatusCode.INVALID_ARGUMENT"
    assert_reads(lines_of(read_image(client, to_png(draw_page(LINES)))), LINES)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("STRATEGY", b"fast", "STRATEGY 'fast'"), ("LANGUAGE", b"tlh", "LANGUAGE 'tlh'")],
)
def test_unknown_strategy_and_language_are_named(client, name, value, message):
    pixels = pixels_tensor("PIXELS", draw_page(LINES))
    with pytest.raises(grpc.InferenceServerException, match=message) as raised:
        client.infer("page_reading", [pixels, texts_tensor(name, value)])
    assert raised.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_page_with_more_lines_than_one_batch(client):
    lines = [sentence(i, words=3) for i in range(60)]
    assert_reads(lines_of(read_pixels(client, draw_page(lines, size=5.5, dpi=200))), lines)


def test_line_wider_than_the_widest_bucket_is_not_clipped(client):
    words = sentence(3, words=24)
    with pymupdf.open() as document:
        document.new_page(width=1800, height=40).insert_text((20, 25), words, fontsize=12)
        pixmap = document[0].get_pixmap(dpi=120, alpha=False)
    page = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w, 3)
    assert_reads([" ".join(lines_of(read_pixels(client, page)))], [words])


def test_sideways_page_is_read_and_its_rotation_told(client):
    turned = np.ascontiguousarray(np.rot90(draw_page([sentence(i) for i in range(20)])))
    orientation = grpc.InferInput("DETECT_ORIENTATION", [1], "BOOL")
    orientation.set_data_from_numpy(np.array([True]))
    result = read_pixels(client, turned, orientation)
    assert result.as_numpy("ROTATION").tolist() == [90]
    assert_reads(lines_of(result), [sentence(i) for i in range(20)])


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 3)])
def test_smallest_images_are_answered(client, size):
    assert lines_of(read_pixels(client, np.full((*size, 3), 255, np.uint8))) == []


def test_ten_thousand_pixel_image_is_read_to_its_end(client):
    page = np.full((10_000, 700, 3), 255, np.uint8)
    lines = [sentence(i, words=4) for i in range(40)]
    for i, line in enumerate(lines):
        spot = (30, 100 + 245 * i)
        cv2.putText(page, line, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 0, 0), 2, cv2.LINE_AA)
    assert_reads(lines_of(read_pixels(client, page)), lines)


def test_chinese_is_read_with_the_full_alphabet(client):
    with pymupdf.open() as document:
        document.new_page().insert_text((60, 100), "今天天气很好", fontname="china-s", fontsize=24)
        pixmap = document[0].get_pixmap(dpi=120)
    page = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w, 3)
    result = read_pixels(client, page, texts_tensor("LANGUAGE", b"zh"))
    assert lines_of(result) == ["今天天气很好"]


def test_detection_and_recognition_can_be_called_directly(client):
    page = np.full((736, 736, 3), 255, np.uint8)
    page[:, :] = 255
    drawn = draw_page(["garden silver"], dpi=120)
    page[: drawn.shape[0], :] = drawn[:736, :736]
    found = client.infer("text_detection", [pixels_tensor("IMAGE", page[None])])
    rows, columns = np.nonzero(found.as_numpy("PROBABILITY_MAP")[0] > 128)
    crop = page[rows.min() - 6 : rows.max() + 6, columns.min() - 8 : columns.max() + 8]
    crop = cv2.resize(crop, (48 * crop.shape[1] // crop.shape[0] // 8 * 8, 48))
    read = client.infer("text_recognition_tiny_latin", [pixels_tensor("CROP", crop[None])])
    points = read.as_numpy("CODEPOINT")[0]
    kept = [p for p, before in zip(points, [0, *points], strict=False) if p not in (0, before)]
    assert "".join(map(chr, kept)) == "garden silver"
    assert read.as_numpy("PROBABILITY").dtype == np.float32


def test_the_readmes_example_runs(triton, tmp_path):
    page = tmp_path / "page.png"
    page.write_bytes(to_png(draw_page(LINES)))
    command = [sys.executable, str(ROOT / "examples" / "read_image.py"), str(page), address(triton)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert_reads([line[6:] for line in printed.splitlines()], LINES)
    assert "examples/read_image.py" in (ROOT / "README.md").read_text()
