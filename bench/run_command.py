"""``python -m bench``: measure the server and its peers, print and write the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.machine import describe_machine
from bench.measuring import Plan, measure
from bench.peer_environment import prepare_environment
from bench.report import (
    ReportTable,
    build_tables,
    list_remarks,
    score_measurements,
    write_json,
    write_markdown,
)
from ocr_base.machine import usable_cores
from ocr_base.places import CHECKOUT
from quality.drawn.folder import draw_folder
from quality.items import Item, load_items

WORK_FOLDER = CHECKOUT / ".bench"
DRAWN_FOLDER = WORK_FOLDER / "pages"
LABELLED_FOLDER = CHECKOUT.parent / "shared" / "data" / "dev"
"""Taken when it is there and no folder is named; else pages are drawn."""


@dataclass(frozen=True)
class RunOptions:
    """What the command line asks for; ``None`` and empty: the default."""

    folder: Path | None
    with_server: bool
    in_process: bool
    peers: Sequence[str]
    strategies: Sequence[str]
    server_options: Mapping[str, str]
    languages: Sequence[str]
    runs: int
    concurrency: int | None
    one_at_a_time: bool
    base_url: str | None
    output: Path


def run(options: RunOptions) -> int:
    """Measure, print, write; returns 1 if anything failed, 0 else.

    Raises:
        ManifestError: The folder cannot be read.
        EngineFailedError: The peers' environment cannot be made.
        ValueError: No item is left to measure.
    """
    console = Console()
    folder = choose_folder(options.folder)
    items = _select(load_items(folder), options.languages)
    told = f"Reading {len(items)} pages of {describe_folder(folder)}"
    console.print(told, markup=False, highlight=False, soft_wrap=True)
    plan = _plan(options, items, console)
    measurements = measure(plan, console)
    scored = score_measurements(measurements, plan.items)
    facts = describe_machine(usable_cores()) | _describe_run(plan, folder)
    tables = build_tables(scored) if scored else []
    for table in tables:
        console.print(_rich_table(table))
    for remark in list_remarks(measurements):
        console.print(remark, style="yellow", markup=False)
    write_markdown(options.output, facts, tables, measurements)
    write_json(options.output.with_suffix(".json"), facts, scored)
    console.print(f"Written: {options.output} and {options.output.with_suffix('.json')}")
    return 1 if any(m.errors for m in measurements) else 0


def choose_folder(folder: Path | None) -> Path:
    """Return the folder to read: the one named, the labelled one, or one of drawn pages."""
    if folder is not None:
        return folder
    if (LABELLED_FOLDER / "manifest.json").is_file():
        return LABELLED_FOLDER
    return draw_folder(DRAWN_FOLDER)


def describe_folder(folder: Path) -> str:
    """Return its path, and why it is read where nobody named it."""
    if folder == DRAWN_FOLDER:
        return f"{folder}, drawn here: no folder is named, and {LABELLED_FOLDER} is not there"
    return str(folder)


def _plan(options: RunOptions, items: Sequence[Item], console: Console) -> Plan:
    with console.status("Preparing the peers' environment"):
        environment = WORK_FOLDER / "venv"
        python = prepare_environment(environment) if options.peers else environment
    return Plan(
        items=items,
        peers=options.peers,
        strategies=options.strategies if options.with_server else (),
        server_options=options.server_options,
        in_process=options.strategies if options.in_process else (),
        runs=options.runs,
        concurrency=options.concurrency or 2 * usable_cores(),
        one_at_a_time=options.one_at_a_time,
        base_url=options.base_url,
        work_folder=WORK_FOLDER,
        peer_python=python,
    )


def _select(items: Sequence[Item], languages: Sequence[str]) -> list[Item]:
    """Return the pages to measure: those with text, in these languages or, with none, in all.

    Raises:
        ValueError: There is none, or none in one of the languages.
    """
    readable = [item for item in items if "text_bag" in item.measures]
    known = sorted({item.language for item in readable})
    if absent := sorted(set(languages) - set(known)):
        raise ValueError(
            f"no page to measure in {', '.join(absent)} (--language); "
            f"languages of the folder: {', '.join(known)}"
        )
    if not readable:
        raise ValueError("no page to measure: no entry of the manifest is for `text_bag`")
    return [item for item in readable if not languages or item.language in languages]


def _describe_run(plan: Plan, folder: Path) -> dict[str, str]:
    facts = {
        "pages": f"{len(plan.items)} of {describe_folder(folder)}",
        "passes": str(plan.runs),
        "load": "one page at a time" if plan.one_at_a_time else "as much as each engine likes",
    }
    if plan.base_url and plan.strategies:
        facts["server"] = f"{plan.base_url}, which kept running while the peers were measured"
    return facts


def _rich_table(table: ReportTable) -> Table:
    shown = Table(title=table.title)
    for position, name in enumerate(table.header):
        shown.add_column(name, justify="right" if position else "left")
    for row in table.rows:
        shown.add_row(*row)
    return shown
