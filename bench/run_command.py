"""``python -m bench``: measure the server and its peers, print and write the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.drawn.folder import draw_folder
from bench.items import Item, load_items
from bench.machine import describe_machine
from bench.measuring import Plan, available_cores, measure
from bench.peer_environment import prepare_environment
from bench.report import (
    ReportTable,
    build_tables,
    list_remarks,
    score_measurements,
    write_json,
    write_markdown,
)

CHECKOUT = Path(__file__).parent.parent
WORK_FOLDER = CHECKOUT / ".bench"
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
    plan = _plan(options, folder, console)
    measurements = measure(plan, console)
    scored = score_measurements(measurements, plan.items)
    facts = describe_machine(available_cores()) | _describe_run(plan, folder)
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
    return draw_folder(WORK_FOLDER / "pages")


def _plan(options: RunOptions, folder: Path, console: Console) -> Plan:
    items = _select(load_items(folder), options.languages)
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
        concurrency=options.concurrency or 2 * available_cores(),
        one_at_a_time=options.one_at_a_time,
        base_url=options.base_url,
        work_folder=WORK_FOLDER,
        peer_python=python,
    )


def _select(items: Sequence[Item], languages: Sequence[str]) -> list[Item]:
    selected = [
        item
        for item in items
        if "text_bag" in item.measures and (not languages or item.language in languages)
    ]
    if not selected:
        known = ", ".join(sorted({item.language for item in items}))
        raise ValueError(f"no page to measure; languages of the folder: {known}")
    return selected


def _describe_run(plan: Plan, folder: Path) -> dict[str, str]:
    facts = {
        "pages": f"{len(plan.items)} of the folder {folder.name}",
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
