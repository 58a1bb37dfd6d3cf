"""A program for processes apart that knows no documents: `python -m … FD MEMORY_BYTES`."""

import os
import time

from preprocess_service.errors import InvalidDocumentError
from preprocess_service.sandbox import channel
from preprocess_service.sandbox.worker import Answer, main


class ToyProgram:
    """Counts the bytes of a file and of what goes along with it, waits, fails or ends."""

    def answer(self, message: channel.Message) -> Answer:
        if message.body["task"] == "fail":
            return {"error": InvalidDocumentError.code, "detail": "It is wrong."}, None
        if message.body["task"] == "end":
            os._exit(1)
        time.sleep(message.body.get("seconds", 0))
        sizes = [len(channel.read_bytes(fd)) for fd in (message.fd, message.attachment) if fd]
        return {"sizes": sizes}, channel.write_bytes(message.body["text"].encode())

    def shrink(self) -> None:
        """Nothing is cached."""

    def forget(self) -> None:
        """Nothing is open."""


if __name__ == "__main__":
    main(ToyProgram)
