"""The arguments of `python -m export release`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from export.arguments import add_host, add_pages, positive
from export.releases import commands
from export.releases.limits import GateLimits

Actions = argparse._SubParsersAction


def add_release(actions: Actions[argparse.ArgumentParser]) -> None:
    """Add `release` with its commands."""
    help_text = "stage, gate, promote, roll back and prune releases of the models"
    release = actions.add_parser("release", help=help_text, description=help_text)
    add_places(release)
    inner = release.add_subparsers(required=True, metavar="COMMAND")
    _add_stage(inner)
    _add_gate(inner)
    _add_promote(inner)
    _add_rollback(inner)
    _add(inner, "list", commands.run_list, "show all releases and what is live")
    show = _add(inner, "show", commands.run_show, "show where a release comes from, and its gate")
    show.add_argument("release", type=positive, help="its number")
    verify = _add(inner, "verify", commands.run_verify, "check signature and files")
    verify.add_argument("release", type=positive, nargs="?", help="its number (all)")
    prune = _add(inner, "prune", commands.run_prune, "unload and delete old releases")
    prune.add_argument(
        "--keep", type=positive, default=commands.KEEP, metavar="N",
        help="releases that stay, the live one and the one before it first (%(default)s)",
    )  # fmt: skip
    _add_switch_options(prune)


def add_places(action: argparse.ArgumentParser) -> None:
    """Add where releases and models lie and where Triton answers."""
    places = (
        ("--releases", "FOLDER", "folder of the releases (RELEASES_DIR)"),
        ("--model-repository", "FOLDER", "Triton's model repository (MODEL_REPOSITORY)"),
    )
    for name, metavar, text in places:
        action.add_argument(name, type=Path, metavar=metavar, help=text)
    action.add_argument("--triton", metavar="HOST:PORT", help="Triton's gRPC (TRITON_URL)")


def _add(
    actions: Actions[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=text, description=text)
    action.set_defaults(run=run)
    return action


def _add_stage(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "build what models.toml says, prove it, and make it the next release"
    action = _add(actions, "stage", commands.run_stage, text)
    action.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER",
        help="take a release that another machine staged, instead of building one",
    )  # fmt: skip
    action.add_argument(
        "--secret-key", type=Path, metavar="FILE",
        help="minisign key to sign it with; its password is MINISIGN_PASSWORD",
    )  # fmt: skip
    add_host(action)
    add_pages(action)
    _add_dry_run(action)


def _add_gate(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "load a release beside the live one and compare both on golden pages"
    action = _add(actions, "gate", commands.run_gate, text)
    action.add_argument("release", type=positive, help="its number")
    action.add_argument(
        "--pages", type=Path, metavar="FOLDER",
        help="labelled pages with their manifest.json, as docs/benchmark.md says (drawn ones)",
    )  # fmt: skip
    action.add_argument(
        "--strategy", action="append", metavar="NAME", help="repeatable (balanced and speed)"
    )
    for name, field in GateLimits.model_fields.items():
        action.add_argument(
            f"--{name.replace('_', '-')}", type=float, default=field.default, metavar="X",
            help=f"{field.description} (%(default)s)",
        )  # fmt: skip
    _add_dry_run(action)


def _add_promote(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "make a gated release live, without a failed request"
    action = _add(actions, "promote", commands.run_promote, text)
    action.add_argument("release", type=positive, help="its number")
    action.add_argument(
        "--canary", type=_percent, default=0.0, metavar="PERCENT",
        help="of the documents over HTTP, answered by it first",
    )  # fmt: skip
    action.add_argument(
        "--shadow", type=_percent, default=0.0, metavar="PERCENT",
        help="of the pages over HTTP, read with it too and compared",
    )  # fmt: skip
    action.add_argument(
        "--canary-seconds", type=float, default=60.0, metavar="S",
        help="how long both are watched; a reason to stop leaves all as it was (%(default)s)",
    )  # fmt: skip
    action.add_argument(
        "--service", action="append", default=[], metavar="URL",
        help="front service whose /metrics tell what the shadow found (repeatable)",
    )  # fmt: skip
    _add_switch_options(action)


def _add_rollback(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "go back to what was live before; ends a switch that was cut off, and a canary"
    action = _add(actions, "rollback", commands.run_rollback, text)
    action.add_argument("--to", type=positive, metavar="RELEASE", help="another that was live once")
    _add_switch_options(action)


def _add_switch_options(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--offline", action="store_true", help="Triton does not run: change what it will serve"
    )
    _add_dry_run(action)


def _add_dry_run(action: argparse.ArgumentParser) -> None:
    action.add_argument("--dry-run", action="store_true", help="only tell the steps")


def _percent(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError("must be from 0 to 100")
    return number
