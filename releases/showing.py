"""The `release` commands that only look."""

from __future__ import annotations

from argparse import Namespace

from rich.table import Table

from releases.errors import ReleaseError
from releases.manifest import Manifest
from releases.places import console, open_store
from releases.settings import read_settings
from releases.store import ReleaseStore, State


def run_list(options: Namespace) -> None:
    """Show all releases, and what is live."""
    store = open_store(options, read_settings())
    state = store.state()
    table = Table("release", "state", "staged", "device", "precision", "models", "size")
    broken = {number: faults for number in store.numbers() if (faults := store.faults(number))}
    for number in store.numbers():
        told = _state_of(number, state) + (", broken" if number in broken else "")
        table.add_row(str(number), told, *_facts_of(store, number))
    console.print(table)
    for number, faults in broken.items():
        console.print(f"release {number} is not whole: {faults[0]}{_and_more(faults)}")
    if state.switching_to is not None:
        n = state.switching_to
        console.print(f"a switch to {n} was cut off: `releases promote {n}` or `releases rollback`")


def _facts_of(store: ReleaseStore, number: int) -> tuple[str, ...]:
    try:
        m = store.manifest(number)
    except ReleaseError:
        return ()
    size = f"{m.size / (1 << 20):.0f} MiB"
    return (m.created_at, m.device, m.precision, str(len(m.models)), size)


def _and_more(faults: list[str]) -> str:
    return f", and {len(faults) - 1} faults more (`releases verify`)" if len(faults) > 1 else ""


def _state_of(number: int, state: State) -> str:
    if number == state.live:
        return "live"
    if number == state.previous:
        return "previous"
    return "gated" if number in state.gated else "staged"


def run_show(options: Namespace) -> None:
    """Show a release's manifest, and what the gate found."""
    store = open_store(options, read_settings())
    manifest = store.manifest(options.release)
    _print_models(manifest)
    report = store.root / "gates" / f"{options.release}.json"
    if report.is_file():
        from releases.gate import GateReport, print_report

        print_report(console, GateReport.model_validate_json(report.read_bytes()))
    console.print(f"manifest: {store.folder(options.release) / 'manifest.json'}")


def _print_models(manifest: Manifest) -> None:
    table = Table("model", "source", "licence", "alphabet", "parity with", "greatest difference")
    for name, m in manifest.models.items():
        proof = (m.parity.reference, f"{m.parity.difference:.1e}") if m.parity else ("-", "-")
        table.add_row(name, m.source, m.licence, m.alphabet or "-", *proof)
    console.print(table)
    needs = ", ".join(f"{name} {what}" for name, what in manifest.needs.items())
    told = f"{manifest.device}, {manifest.precision}, {manifest.size:,} bytes"
    console.print(f"staged {manifest.created_at} for {told}; needs {needs}")


def run_verify(options: Namespace) -> None:
    """Check signature and files of releases: of each, whatever is wrong with another.

    Raises:
        ReleaseError: Some are not as they were staged; it says what is wrong with each.
    """
    store = open_store(options, read_settings())
    numbers = [options.release] if options.release else store.numbers()
    if refused := [fault for number in numbers if (fault := _verify(store, number))]:
        raise ReleaseError("\n".join(refused))


def _verify(store: ReleaseStore, number: int) -> str | None:
    try:
        manifest = store.verify(number)
    except ReleaseError as error:
        return str(error)
    console.print(f"release {number}: {len(manifest.files)} files as they were staged")
    return None
