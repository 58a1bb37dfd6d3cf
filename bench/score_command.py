"""``python -m bench score``: the figures of predictions that are already there."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from quality.items import load_items
from quality.predictions import load_predictions
from quality.scoring import ItemScore, Summary, score, summarize, summarize_by


def score_predictions(predictions: Path, folder: Path, *, per_item: bool) -> None:
    """Print the figures of a predictions file: English, all, by kind; on wish by page."""
    scores = score(load_items(folder), load_predictions(predictions))
    if not scores:
        raise ValueError(f"{predictions} predicts no text item of {folder}")
    console = Console()
    console.print(_summary_table(scores))
    if per_item:
        console.print(_item_table(scores))


def _summary_table(scores: Sequence[ItemScore]) -> Table:
    table = Table("items", "pages", "no answer", "F1", "mean", "CER", "mean", title="Scores")
    english = [s for s in scores if s.language == "en"]
    if english:
        _add(table, "English", summarize(english))
    _add(table, "all", summarize(scores))
    for kind, summary in summarize_by(scores, lambda s: s.kind).items():
        _add(table, f"{kind}", summary)
    for language, summary in summarize_by(scores, lambda s: s.language).items():
        _add(table, f"{language}", summary)
    return table


def _add(table: Table, name: str, summary: Summary) -> None:
    figures = (summary.f1_micro, summary.f1_macro, summary.cer_micro, summary.cer_macro)
    shown = ("-" if figure is None else f"{figure:.4f}" for figure in figures)
    table.add_row(name, str(summary.pages), str(summary.unanswered), *shown)


def _item_table(scores: Sequence[ItemScore]) -> Table:
    table = Table("item", "kind", "language", "F1", "CER", title="Pages, worst first")
    for s in sorted(scores, key=lambda s: s.f1):
        cer = "-" if s.cer is None else f"{s.cer:.4f}"
        table.add_row(s.item_id, s.kind, s.language, f"{s.f1:.4f}", cer)
    return table
