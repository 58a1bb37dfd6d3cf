"""The pool with a program of its own: what it runs is none of its business."""

from contextlib import closing
from dataclasses import replace

import pytest
import pytest_asyncio

from preprocess_service.errors import DocumentTooCostlyError, InvalidDocumentError
from preprocess_service.sandbox import channel
from preprocess_service.sandbox.pool import SandboxPool
from preprocess_service.sandbox.process import Task
from preprocess_service.sandbox.processor_time import ProcessorTime

PROGRAM = "tests.unit.preprocess_service.sandbox.toy_program"
COUNT = Task("count", "document", "caller", {"text": "done"})


@pytest.fixture
def file(as_file):
    with as_file(b"12345") as file:
        yield file


@pytest_asyncio.fixture
async def pool(monkeypatch, pytestconfig):
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    pool = SandboxPool(PROGRAM, 1, 128 << 20, 0.5, ProcessorTime(60, 2))
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


async def test_an_answer_comes_with_its_file(pool, file):
    with closing(await pool.run(COUNT, file, b"123")) as answer:
        assert answer.body["sizes"] == [5, 3]
        assert channel.read_bytes(answer.fd) == b"done"


async def test_a_failure_is_the_program_s_and_costs_no_process(pool, file):
    before = pool.pids
    with pytest.raises(InvalidDocumentError, match="It is wrong"):
        await pool.run(replace(COUNT, name="fail"), file)
    assert pool.pids == before


async def test_a_task_that_ends_its_process_costs_no_other(pool, file):
    with pytest.raises(DocumentTooCostlyError, match="ended the process"):
        await pool.run(replace(COUNT, name="end"), file)
    (await pool.run(replace(COUNT, document_id="other"), file)).close()


async def test_a_task_has_the_time_of_its_pages(pool, file):
    slow = replace(COUNT, body={"text": "", "seconds": 0.8})
    (await pool.run(slow, file, timeout_seconds=pool.longest_seconds(pages=9))).close()
    with pytest.raises(DocumentTooCostlyError, match="PAGE_TIMEOUT"):
        await pool.run(slow, file)
