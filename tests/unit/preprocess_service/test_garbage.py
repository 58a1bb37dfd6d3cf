"""Full collections of garbage wait until nobody else does."""

import gc
import weakref

from preprocess_service import garbage
from preprocess_service.garbage import collected_when_idle
from tests.waiting import until


class Node:
    """Part of a cycle."""

    def __init__(self) -> None:
        self.itself = self


def old_cycle() -> "weakref.ref[Node]":
    """A cycle that only a full collection finds, and younger objects than it."""
    node = Node()
    gc.collect(1)
    return weakref.ref(node)


async def test_cycles_go_when_the_process_is_idle(monkeypatch):
    monkeypatch.setattr(garbage, "_LOOK_SECONDS", 0.01)
    busy = [True]
    async with collected_when_idle(lambda: not busy[0]):
        cycle = old_cycle()
        kept = [[] for _ in range(200_000)]  # by itself, Python would collect fully
        assert cycle() is not None
        busy[0] = False
        await until(lambda: cycle() is None)
    assert len(kept) == 200_000


async def test_cycles_go_in_a_process_that_is_never_idle():
    async with collected_when_idle(lambda: False, longest_seconds=0.05):
        cycle = old_cycle()
        await until(lambda: cycle() is None)


async def test_the_rules_of_before_hold_after_it():
    before = gc.get_threshold()
    async with collected_when_idle(lambda: True):
        assert gc.get_threshold() != before
        assert gc.get_freeze_count()
    assert gc.get_threshold() == before
    assert not gc.get_freeze_count()
