"""`release gate`: a candidate beside the live release, warmed, and measured on golden pages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.progress import track
from rich.table import Table

from export.errors import GateError, ReleaseError
from export.plans.gpu import gpu_architecture
from export.releases.control import TritonControl, load_all, unload_all
from export.releases.fitting import require_fit
from export.releases.golden import golden_pages, read_golden
from export.releases.judgement import Figures, figures_of, find_faults
from export.releases.limits import GateLimits
from export.releases.repository import Repository
from export.releases.room import require_memory
from export.releases.served_parity import ServedParity, compare_served
from export.releases.steps import Step, run_steps
from export.releases.store import ReleaseStore, write_whole


class GateReport(BaseModel):
    """What the gate found, kept beside the releases."""

    release: int
    live: int | None
    candidate_figures: dict[str, Figures] = {}
    live_figures: dict[str, Figures] = {}
    served: list[ServedParity] = []
    faults: list[str] = []

    @property
    def passed(self) -> bool:
        """Whether the candidate may go live."""
        return bool(self.candidate_figures) and not self.faults


@dataclass(frozen=True)
class Gate:
    """One candidate's way through the gate.

    Attributes:
        pages: Folder of labelled pages; None: drawn ones.
        strategies: Which to read them with.
    """

    store: ReleaseStore
    repository: Repository
    control: TritonControl
    console: Console
    pages: Path | None
    strategies: list[str]
    limits: GateLimits

    def run(self, release: int, *, dry_run: bool = False) -> None:
        """Load the candidate, measure it, and leave it loaded and marked where it passes.

        Raises:
            ReleaseError: It is damaged, finds no room, cannot be loaded or reads worse; it is
                unloaded then.
        """
        report = GateReport(release=release, live=self.store.state().live)
        if release == report.live:
            raise ReleaseError(f"release {release} is live: there is nothing to gate")
        models = self.store.models(release)
        strategies = [s for s in self.strategies if s in self.store.manifest(release).strategies]
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
        ]
        try:
            self._unmark(release, dry_run=dry_run)
            run_steps(steps, self.console, dry_run=dry_run)
        except ReleaseError as error:
            if not dry_run:
                self._take_back(release)
                self.store.note("gate", release, passed=False, why=str(error))
            raise

    def _unmark(self, release: int, *, dry_run: bool) -> None:
        state = self.store.state()
        if release in state.gated and not dry_run:
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
        releases = [n for n in (report.live, report.release) if n is not None]
        pages = golden_pages(self.pages)
        reading = read_golden(self.control.client, releases, pages, strategy)
        shown = track(reading, strategy, len(pages), console=self.console, transient=True)
        for readings in shown:
            found = {n: figures_of(reading) for n, reading in readings.items()}
        report.candidate_figures[strategy] = found[report.release]
        if report.live is not None:
            report.live_figures[strategy] = found[report.live]

    def _judge(self, report: GateReport) -> None:
        report.faults = find_faults(report.candidate_figures, report.live_figures, self.limits)
        report.faults += [s.says for s in report.served if not s.holds]
        print_report(self.console, report)
        folder = self.store.root / "gates"
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{report.release}.json", report.model_dump_json(indent=1).encode())
        if not report.passed:
            faults = "\n".join(f"  {fault}" for fault in report.faults)
            raise GateError(f"release {report.release} may not go live:\n{faults}")
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
    table = Table("strategy", "release", "F1", "CER", "lines", "p95")
    for strategy, figures in report.candidate_figures.items():
        rows = {report.live: report.live_figures.get(strategy), report.release: figures}
        for release, f in rows.items():
            if f is not None:
                cer = "-" if f.cer is None else f"{f.cer:.4f}"
                row = (f"{f.f1:.4f}", cer, str(f.boxes), f"{f.p95_seconds:.2f} s")
                table.add_row(strategy, str(release), *row)
    console.print(table)
