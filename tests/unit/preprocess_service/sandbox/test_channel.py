import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from preprocess_service.options import OcrOptions
from preprocess_service.pages.source import RasterRequest
from preprocess_service.sandbox import channel


def test_message_and_pixels_arrive_and_leave_no_file_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    ours, theirs = channel.make_pair()
    with ours, theirs:
        fd = channel.write_array(array)
        channel.send(theirs, {"shape": array.shape}, fd)
        os.close(fd)
        message = channel.receive(ours)
        assert message is not None
        received = channel.map_array(message.fd, tuple(message.body["shape"]), np.uint8)
        message.close()
        assert np.array_equal(received, array)
        del received
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_end_of_the_other_side_is_told():
    ours, theirs = channel.make_pair()
    theirs.close()
    with ours:
        assert channel.receive(ours) is None


def test_empty_array_travels():
    fd = channel.write_array(np.empty((0, 3), np.int64))
    assert channel.map_array(fd, (0, 3), np.int64).shape == (0, 3)
    os.close(fd)


def test_a_message_that_the_other_side_could_not_take_is_not_sent():
    ours, theirs = channel.make_pair()
    with ours, theirs:
        with pytest.raises(channel.MessageTooLongError):
            channel.send(theirs, {"text": "x" * (64 << 10)})
        channel.send(theirs, {"next": True})
        message = channel.receive(ours)
        assert message is not None
        assert message.body == {"next": True}


@pytest.mark.parametrize("letter", ["x", "\x01", "😀"])
def test_the_longest_options_are_a_message(letter):
    options = OcrOptions(page_range="1," * 4095 + "1", password=letter * 1024)
    request = RasterRequest(
        "0" * 32, "application/pdf", 600, 10**6, 10**9, options.page_range, options.password,
        "moderate", "ignore", words=True,
    )  # fmt: skip
    ours, theirs = channel.make_pair()
    with ours, theirs:
        channel.send(theirs, {"task": "render", "request": asdict(request), "index": 10**6})
        message = channel.receive(ours)
        assert message is not None
        assert RasterRequest(**message.body["request"]) == request
