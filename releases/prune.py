"""`releases prune`: old releases unloaded and deleted."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from releases.control import TritonControl, unload_all
from releases.repository import Repository
from releases.steps import Step, run_steps
from releases.store import STAGING, ReleaseStore, State


@dataclass(frozen=True)
class Pruner:
    """Deletes releases; never the live one, nor one that a switch or a canary leads to."""

    store: ReleaseStore
    repository: Repository
    control: TritonControl | None
    console: Console

    def run(self, keep: int, *, candidates: bool = False, dry_run: bool = False) -> list[int]:
        """Keep the live release and those last live or staged, `keep` in all; returns the others.

        Candidates are kept beside them, unless `candidates` has them counted too.
        What is seen not to be whole is not kept, but where it is live.
        A candidate that a gate which was killed left behind is unloaded with them.
        """
        state = self.store.state()
        waiting = set() if candidates else self._candidates(state)
        doomed = self._doomed(state, keep, waiting)
        stray = set(self.repository.releases()) - set(self.store.numbers())
        steps = [
            Step("empty the staging folder", partial(_delete, self.store.root / STAGING)),
            *(Step(f"delete release {n}", partial(self._remove, n)) for n in [*doomed, *stray]),
        ]
        run_steps(steps, self.console, dry_run=dry_run)
        return doomed

    def _candidates(self, state: State) -> set[int]:
        """Whole releases after the live one that no gate refused last and nobody promoted yet."""
        last: dict[int, bool] = {}
        for entry in self.store.history():
            if entry["action"] in ("promote", "gate"):
                last[entry["release"]] = entry["action"] == "gate" and entry["passed"]
        return {n for n in self.store.whole() if n > (state.live or 0) and last.get(n, True)}

    def _doomed(self, state: State, keep: int, waiting: set[int]) -> list[int]:
        held = [n for n in (state.live, state.switching_to) if n is not None]
        held += [state.canary.release] if state.canary else []
        last_live = [state.previous] if state.previous is not None else []
        whole = self.store.whole()
        last_live = [number for number in last_live if number in whole]
        order = dict.fromkeys([*held, *last_live, *reversed(whole)])
        counted = [number for number in order if number not in waiting]
        kept = {*held, *waiting, *counted[: max(keep, 1)]}
        return [n for n in self.store.numbers() if n not in kept]

    def _remove(self, release: int) -> None:
        state = self.store.state()
        gated = [n for n in state.gated if n != release]
        previous = None if state.previous == release else state.previous
        self.store.save(state.model_copy(update={"gated": gated, "previous": previous}))
        if self.control:
            unload_all(self.control, self.repository.names_of(release))
        self.repository.remove(release)
        shutil.rmtree(self.store.folder(release), ignore_errors=True)
        self.store.note("prune", release)


def _delete(folder: object) -> None:
    shutil.rmtree(str(folder), ignore_errors=True)
