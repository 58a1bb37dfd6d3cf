import os
import subprocess
import sys

from bench.peak_memory import PeakMemory


def test_memory_of_a_process_and_of_a_memory_file_is_counted():
    before = PeakMemory()
    before.sample()
    held = os.memfd_create("page")
    os.write(held, bytes(32 << 20))
    command = "import sys; held = b'x' * (64 << 20); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        after = PeakMemory()
        after.sample()
        process.stdin.close()
    os.close(held)
    assert after.peak - before.peak > (64 + 30) << 20
