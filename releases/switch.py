"""`releases promote` and `rollback`: public names led to another release, under traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from ocr_base.triton import PUBLIC, Canary
from releases.control import TritonControl, load_all, unload_all
from releases.errors import ReleaseError
from releases.repository import Repository
from releases.steps import Step, run_steps
from releases.store import ReleaseStore, State


@dataclass(frozen=True)
class Switch:
    """Leads the public names to a release; the one before stays loaded, for the way back.

    Attributes:
        control: Of the running Triton; None writes what its next start will serve.
    """

    store: ReleaseStore
    repository: Repository
    control: TritonControl | None
    console: Console

    def promote(self, release: int, *, dry_run: bool = False, ungated: bool = False) -> None:
        """Make a gated release the live one; also ends such a switch that was cut off.

        `ungated` is for what the models table of this checkout says; the first release has
        nothing to be gated against.

        Raises:
            ReleaseError: It was not gated, or is damaged, or Triton refuses it: what was live is
                live.
        """
        self.store.manifest(release)
        state = self.store.state()
        if not ungated and state.live is not None and release != state.live:
            require_gated(release, state)
        self._switch("promote", release, dry_run=dry_run)

    def rollback(self, release: int | None = None, *, dry_run: bool = False) -> int:
        """Go back to the release that was live before, or to another that once was.

        After a promote that was cut off, or during a canary: to the live one. Returns its number.

        Raises:
            ReleaseError: There is none to go back to.
        """
        state = self.store.state()
        is_half_way = state.switching_to is not None or state.canary is not None
        if release is not None:
            self.store.manifest(release)
        target = release or (state.live if is_half_way else state.previous)
        if target is None:
            raise ReleaseError("no release was live before: there is nothing to roll back to")
        promoted = {e["release"] for e in self.store.history() if e["action"] == "promote"}
        if target not in promoted:
            raise ReleaseError(f"release {target} was never live: promote it")
        self._switch("rollback", target, dry_run=dry_run)
        return target

    def set_canary(self, canary: Canary | None) -> None:
        """Tell the front services of a canary, or of its end; what is live stays.

        Raises:
            ReleaseError: Nothing is live, or Triton refuses.
        """
        state = self.store.state().model_copy(update={"canary": canary})
        if state.live is None:
            raise ReleaseError("no release is live: a canary needs one beside it")
        self.store.save(state)
        self.repository.publish(self.store.models(state.live), state.live, state)
        if self.control:
            self.control.load(PUBLIC)

    def _switch(self, action: str, release: int, *, dry_run: bool) -> None:
        before = self.store.state()
        after = _after(before, release)
        add = partial(self.repository.add, self.store.models(release), release)
        steps = [
            Step(f"check every file of release {release}", partial(self.store.verify, release)),
            Step("put what is missing of it into the repository", add),
        ]
        if self.control:
            load = partial(self._load, release)
            steps.append(Step("load what of it is not loaded", load))
        steps += [
            Step(f"note the switch to release {release}", partial(self._begin, before, release)),
            Step("lead the public names to it", partial(self._lead, release, before, after)),
            Step(f"release {release} is live", partial(self._end, action, release, after)),
        ]
        run_steps(steps, self.console, dry_run=dry_run)

    def _load(self, release: int) -> None:
        assert self.control is not None
        load_all(self.control, self.repository.names_of(release), self.console.print)

    def _begin(self, before: State, release: int) -> None:
        self.store.save(before.model_copy(update={"switching_to": release}))

    def _lead(self, release: int, before: State, after: State) -> None:
        try:
            self._publish(release, after)
        except ReleaseError:
            if before.live is not None:
                self._publish(before.live, before)
            self.store.save(before.model_copy(update={"switching_to": None}))
            raise

    def _publish(self, release: int, state: State) -> None:
        gone = self.repository.publish(self.store.models(release), release, state)
        if self.control:
            _each(self.control.load, self.repository.public_names())
            unload_all(self.control, gone)

    def _end(self, action: str, release: int, after: State) -> None:
        self.store.save(after)
        self.store.note(action, release, before=after.previous)


def require_gated(release: int, state: State) -> None:
    """Refuse a release that no gate let through, with ReleaseError."""
    if release not in state.gated:
        raise ReleaseError(
            f"release {release} did not pass the gate on this server: "
            f"`python -m releases gate {release}`"
        )


def _after(before: State, release: int) -> State:
    """Return what is live after a switch; going on with one that was cut off keeps `previous`."""
    previous = before.previous if release == before.live else before.live
    return State(live=release, previous=previous, gated=sorted({*before.gated, release}))


def _each(do: Callable[[str], None], names: list[str]) -> None:
    # `ocr` last: the front service follows it, and all else is in place by then.
    for name in sorted(names, key=lambda name: name == PUBLIC):
        do(name)
