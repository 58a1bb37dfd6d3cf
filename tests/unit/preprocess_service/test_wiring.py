"""How many rasterizing processes there are where nobody says it."""

import pytest

from preprocess_service import wiring
from preprocess_service.settings import Settings

GB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "memory_gb", "changes", "fitting"),
    [
        (2, 24, {}, 3),
        (64, 8, {}, 5),  # 8192 - 1024 - 64 - 384 hold five of 1024 + 128
        (64, 8, {"workers": 2}, 2),
        (64, 8, {"page_memory_mb": 2304}, 4),
        (64, 8, {"rasterizer_memory_mb": 256}, 17),
        (64, 8, {"cache_memory_mb": 2304}, 3),
        (64, 1, {}, 1),
    ],
)
def test_they_fit_the_cores_and_the_memory(monkeypatch, cores, memory_gb, changes, fitting):
    monkeypatch.setattr(wiring, "usable_cores", lambda: cores)
    monkeypatch.setattr(wiring, "usable_memory_bytes", lambda: memory_gb * GB)
    assert wiring.rasterizers_that_fit(Settings(**changes)) == fitting
