import pytest

from ocr_base.reading import page_dpi


@pytest.mark.parametrize(
    ("strategy", "least", "dpi"),
    [("speed", 120, 120), ("balanced", 120, 120), ("accuracy", 120, 200), ("accuracy", 300, 300)],
)
def test_only_accuracy_draws_pages_finer_than_asked(strategy: str, least: int, dpi: int) -> None:
    assert page_dpi(strategy, least) == dpi
