"""A measurement as tables: Markdown for people, JSON for tuning."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.measuring import Measurement
from quality.items import Item
from quality.scoring import ItemScore, Summary, score, summarize, summarize_by

NOTES = """\
- Word F1: bag of words over all pages together (micro); "mean" is the mean of the pages' own F1
  (macro); "en": the English pages. Texts without reliable spaces are compared by characters. A
  page in a language that the engine declines counts as empty.
- CER: edits per character of the truth, on pages whose reading order can be trusted, all together.
- Pages/s: the median of the passes over all pages, from file to text. Peers get images as they
  are and PDF pages drawn at 120 dpi; the server gets the files over HTTP."""


@dataclass(frozen=True)
class ReportTable:
    """A table of plain cells; the first column holds names, the others figures."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Scored:
    """A measurement that has a reading, with the scores of its last pass."""

    measurement: Measurement
    scores: Sequence[ItemScore]

    @property
    def english(self) -> Sequence[ItemScore]:
        """The scores of English pages."""
        return [s for s in self.scores if s.language == "en"]


def score_measurements(measurements: Sequence[Measurement], items: Sequence[Item]) -> list[Scored]:
    """Return the measurements that read something, scored; a failed page counts as empty."""
    scored = []
    for measurement in measurements:
        if measurement.readings and measurement.pages_per_second:
            last = measurement.readings[-1]
            scores = score(items, dict.fromkeys(last.errors) | last.predictions)
            scored.append(Scored(measurement, scores))
    return scored


def build_tables(scored: Sequence[Scored]) -> list[ReportTable]:
    """Return the tables of a report: engines, figures, ratios, F1 by kind and by language."""
    ours = [s for s in scored if s.measurement.is_ours]
    peers = [s for s in scored if not s.measurement.is_ours]
    tables = [_setups(scored), _figures(scored)]
    if ours and peers:
        tables.append(_ratios(ours, peers))
    tables.append(_breakdown("Word F1 by kind of page", scored, by_language=False))
    tables.append(_breakdown("Word F1 by language", scored, by_language=True))
    return tables


def write_markdown(
    path: Path,
    facts: Mapping[str, str],
    tables: Sequence[ReportTable],
    measurements: Sequence[Measurement],
) -> None:
    """Write the report."""
    parts = ["# Benchmark", "\n".join(f"- {name}: {value}" for name, value in facts.items())]
    for table in tables:
        parts += [f"## {table.title}", _markdown_table(table)]
    parts += ["## How to read it", NOTES]
    if remarks := list_remarks(measurements):
        parts += ["## Not measured, not answered, failed", "\n".join(f"- {r}" for r in remarks)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def write_json(path: Path, facts: Mapping[str, str], scored: Sequence[Scored]) -> None:
    """Write every page's figures and lines, for tuning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {"facts": dict(facts), "engines": [_engine_dict(s) for s in scored]}
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


def list_remarks(measurements: Sequence[Measurement]) -> list[str]:
    """Return a sentence for all that was not measured, not answered or failed."""
    remarks = []
    for m in measurements:
        if m.unavailable:
            remarks.append(f"{m.name}: not measured, {m.unavailable}")
        last = m.readings[-1].predictions if m.readings else {}
        if declined := [item_id for item_id, lines in last.items() if lines is None]:
            remarks.append(f"{m.name}: not answered: {', '.join(declined)}")
        remarks += [f"{m.name}: failed: {key}: {text}" for key, text in m.errors.items()]
    return remarks


def _setups(scored: Sequence[Scored]) -> ReportTable:
    rows = [(s.measurement.name, s.measurement.version, s.measurement.setup) for s in scored]
    return ReportTable("Engines", ("engine", "version", "how"), rows)


def _figures(scored: Sequence[Scored]) -> ReportTable:
    header = (
        "engine", "F1 en", "mean en", "F1 all", "mean all", "CER en", "CER all", "pages/s"
    )  # fmt: skip
    return ReportTable("Accuracy and speed", header, [_figures_row(s) for s in scored])


def _figures_row(scored: Scored) -> list[str]:
    english = summarize(scored.english) if scored.english else None
    overall = summarize(scored.scores)
    return [
        scored.measurement.name,
        *_f1_cells(english),
        *_f1_cells(overall),
        _cell(english.cer_micro if english else None),
        _cell(overall.cer_micro),
        f"{scored.measurement.pages_per_second:.2f}",
    ]


def _f1_cells(summary: Summary | None) -> tuple[str, str]:
    if summary is None:
        return "-", "-"
    return _cell(summary.f1_micro), _cell(summary.f1_macro)


def _ratios(ours: Sequence[Scored], peers: Sequence[Scored]) -> ReportTable:
    header = ["pages/s against", *(s.measurement.name for s in ours)]
    rows = [
        [
            peer.measurement.name,
            *(
                f"{s.measurement.pages_per_second / peer.measurement.pages_per_second:.2f} x"
                for s in ours
            ),
        ]
        for peer in peers
    ]
    return ReportTable("Speed of the server as a multiple of each peer's", header, rows)


def _breakdown(title: str, scored: Sequence[Scored], *, by_language: bool) -> ReportTable:
    groups = [
        summarize_by(s.scores, lambda one: one.language if by_language else one.kind)
        for s in scored
    ]
    names = list(dict.fromkeys(name for group in groups for name in group))
    rows = [
        [name, *(_cell(group[name].f1_micro if name in group else None) for group in groups)]
        for name in names
    ]
    header = ["language" if by_language else "kind", *(s.measurement.name for s in scored)]
    return ReportTable(title, header, rows)


def _engine_dict(scored: Scored) -> dict[str, Any]:
    m = scored.measurement
    last = m.readings[-1]
    return {
        "name": m.name,
        "version": m.version,
        "setup": m.setup,
        "pages_per_second": [reading.pages_per_second for reading in m.readings],
        "summary": {
            "english": asdict(summarize(scored.english)) if scored.english else None,
            "all": asdict(summarize(scored.scores)),
        },
        "items": {s.item_id: asdict(s) | {"f1": s.f1, "cer": s.cer} for s in scored.scores},
        "predictions": {
            item_id: None if lines is None else [line.to_dict() for line in lines]
            for item_id, lines in last.predictions.items()
        },
        "errors": m.errors,
    }


def _markdown_table(table: ReportTable) -> str:
    rule = ["---", *("---:" for _ in table.header[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (table.header, rule, *table.rows))


def _cell(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"
