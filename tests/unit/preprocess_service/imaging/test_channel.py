import os
from pathlib import Path

import numpy as np

from preprocess_service.imaging import channel


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
