"""`releases gate`: a candidate beside the live release, warmed, and measured on golden pages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.progress import track
from rich.table import Table

from export.languages import read_languages
from export.plans.gpu import gpu_architecture
from releases.asks import Planner
from releases.control import TritonControl, load_all, unload_all
from releases.errors import GateError, ReleaseError
from releases.fitting import require_fit, require_memory
from releases.golden import GoldenPage, golden_pages
from releases.judgement import Group, find_faults, groups_of
from releases.letters import letters_page
from releases.limits import GateLimits
from releases.reading import ServedReader, compare
from releases.repository import Repository
from releases.routes import Routes
from releases.served_parity import ServedParity, compare_served
from releases.steps import Step, run_steps
from releases.store import ReleaseStore, write_whole


class GateReport(BaseModel):
    """What the gate found, kept beside the releases."""

    release: int
    live: int | None
    groups: list[Group] = []
    served: list[ServedParity] = []
    faults: list[str] = []

    @property
    def passed(self) -> bool:
        """Whether what was read is no reason against the candidate."""
        return bool(self.groups) and not self.faults


@dataclass(frozen=True)
class Gate:
    """One candidate's way through the gate.

    Attributes:
        pages: Folder of labelled pages; None: drawn ones.
        strategies: Which to read them with; empty: all of the candidate's.
        allow_loss: Whether it may refuse requests that the live release takes.
    """

    store: ReleaseStore
    repository: Repository
    control: TritonControl
    console: Console
    pages: Path | None
    strategies: list[str]
    limits: GateLimits
    allow_loss: bool = False

    def run(self, release: int, *, dry_run: bool = False) -> bool:
        """Load the candidate, measure it, and leave it loaded and marked where it passes.

        Returns whether it was read with all its strategies: with some of them it is a trial, which
        leaves nothing loaded and marks nothing.

        Raises:
            ReleaseError: It is damaged, finds no room, cannot be loaded or reads worse; it is
                unloaded then.
        """
        report = GateReport(release=release, live=self.store.state().live)
        strategies = self._chosen(release)
        if release == report.live:
            raise ReleaseError(f"release {release} is live: there is nothing to gate")
        is_whole = set(strategies) == set(self.store.manifest(release).strategies)
        models = self.store.models(release)
        steps = [
            Step(f"check every file of release {release}", partial(self.store.verify, release)),
            Step("check what it was built for", partial(self._require_fit, release)),
            Step("check the memory", partial(require_memory, models)),
            Step("put its models beside the live ones", partial(self._add, release)),
            Step("load and warm them", partial(self._load, release)),
            Step("compare Triton's answers with the files'", partial(self._compare, report)),
            *(
                Step(f"read golden pages, {s}", partial(self._measure, report, s))
                for s in strategies
            ),
            Step("judge", partial(self._judge, report)),
            Step("note that it passed", partial(self._mark, report))
            if is_whole
            else Step("unload it: this was a trial", partial(self._take_back, release)),
        ]
        try:
            if is_whole and not dry_run:
                self._unmark(release)
            run_steps(steps, self.console, dry_run=dry_run)
        except ReleaseError as error:
            if not dry_run:
                self._keep(report)
                self._unmark(release)
                self._take_back(release)
                self.store.note("gate", release, passed=False, why=str(error))
            raise
        return is_whole

    def _chosen(self, release: int) -> list[str]:
        has = self.store.manifest(release).strategies
        for name in self.strategies:
            if name not in has:
                known = ", ".join(has)
                raise ReleaseError(f"--strategy {name}: release {release} has {known}")
        return list(dict.fromkeys(self.strategies)) or has

    def _unmark(self, release: int) -> None:
        state = self.store.state()
        if release in state.gated:
            gated = [n for n in state.gated if n != release]
            self.store.save(state.model_copy(update={"gated": gated}))

    def _require_fit(self, release: int) -> None:
        require_fit(self.store.manifest(release), gpu_architecture())

    def _add(self, release: int) -> None:
        self.repository.add(self.store.models(release), release)

    def _load(self, release: int) -> None:
        load_all(self.control, self.repository.names_of(release), self.console.print)

    def _compare(self, report: GateReport) -> None:
        models = self.store.models(report.release)
        report.served = compare_served(self.control.client, models, report.release)

    def _measure(self, report: GateReport, strategy: str) -> None:
        candidate, live = self._routes(report)
        planner = Planner(candidate, live, partial(letters_page, languages=read_languages()))
        asks = planner.plan(self._golden, strategy)
        reader = ServedReader(self.control.client)
        reading = compare(reader, report.release, report.live, asks)
        shown = track(reading, strategy, len(asks), console=self.console, transient=True)
        report.groups += groups_of(strategy, list(shown))

    @cached_property
    def _golden(self) -> list[GoldenPage]:
        return golden_pages(self.pages)

    def _routes(self, report: GateReport) -> tuple[Routes, Routes | None]:
        live = None if report.live is None else Routes.of(self.store.models(report.live))
        return Routes.of(self.store.models(report.release)), live

    def _judge(self, report: GateReport) -> None:
        candidate, live = self._routes(report)
        lost = [] if live is None or self.allow_loss else candidate.lost(live)
        report.faults = find_faults(report.groups, self.limits)
        report.faults += [f"{what}: the live release reads it (--allow-loss)" for what in lost]
        report.faults += [s.says for s in report.served if not s.holds]
        print_report(self.console, report)
        if not report.passed:
            faults = "\n".join(f"  {fault}" for fault in report.faults)
            raise GateError(f"release {report.release} may not go live:\n{faults}")

    def _keep(self, report: GateReport) -> None:
        folder = self.store.root / "gates"
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{report.release}.json", report.model_dump_json(indent=1).encode())

    def _mark(self, report: GateReport) -> None:
        self._keep(report)
        state = self.store.state()
        gated = sorted({*state.gated, report.release})
        self.store.save(state.model_copy(update={"gated": gated}))
        self.store.note("gate", report.release, passed=True)

    def _take_back(self, release: int) -> None:
        if release in (self.store.state().live, self.store.state().previous):
            return
        with suppress(ReleaseError):  # Triton is away: it does not load them at its next start
            unload_all(self.control, self.repository.names_of(release))
        self.repository.remove(release)


def print_report(console: Console, report: GateReport) -> None:
    """Print the figures of both releases side by side."""
    table = Table("read with", "release", "pages", "F1", "CER", "lines", "p95")
    for group in report.groups:
        for release, f in ((report.live, group.live), (report.release, group.candidate)):
            if f is not None:
                cer = "-" if f.cer is None else f"{f.cer:.4f}"
                row = (str(f.pages), f"{f.f1:.4f}", cer, str(f.boxes), f"{f.p95_seconds:.2f} s")
                table.add_row(group.name, str(release), *row)
    console.print(table)
