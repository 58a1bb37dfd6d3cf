"""`python -m releases`: numbered releases of the models, from staging to the live one and back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from export.arguments import add_pages, add_sources, run_command
from releases import building, serving, showing
from releases.arguments import (
    Actions,
    add_command,
    add_dry_run,
    add_host,
    add_places,
    add_release,
    add_switch_options,
    percent,
    positive,
    seconds,
)
from releases.limits import CanaryLimits, GateLimits


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 1 with a message on stderr."""
    return run_command(_parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m releases", description=__doc__)
    add_sources(parser)
    add_places(parser)
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_install(actions)
    _add_stage(actions)
    _add_gate(actions)
    _add_promote(actions)
    _add_rollback(actions)
    add_command(actions, "list", showing.run_list, "show all releases and what is live")
    text = "show where a release comes from, and its gate"
    add_release(add_command(actions, "show", showing.run_show, text))
    verify = add_command(actions, "verify", showing.run_verify, "check signature and files")
    verify.add_argument("release", type=positive, nargs="?", help="its number (all)")
    _add_prune(actions)
    _add_plan(actions)
    return parser


def _add_install(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "make what models.toml says live, before a start"
    action = add_command(actions, "install", building.run_install, text)
    add_host(action)
    add_pages(action)


def _add_stage(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "build what models.toml says, prove it, and make it the next release"
    action = add_command(actions, "stage", building.run_stage, text)
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
    add_dry_run(action)


def _add_gate(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "load a release beside the live one and compare both on golden pages"
    action = add_command(actions, "gate", serving.run_gate, text)
    add_release(action)
    action.add_argument(
        "--pages", type=Path, metavar="FOLDER",
        help="labelled pages with their manifest.json, as docs/benchmark.md says (drawn ones)",
    )  # fmt: skip
    action.add_argument(
        "--strategy", action="append", default=[], metavar="NAME",
        help="a trial with this one only, repeatable; who is to pass is read with all",
    )  # fmt: skip
    action.add_argument(
        "--allow-loss", action="store_true",
        help="it may lack strategies and languages of the live release",
    )  # fmt: skip
    for name, field in GateLimits.model_fields.items():
        action.add_argument(
            f"--{name.replace('_', '-')}", type=_limit(name), default=field.default, metavar="X",
            help=f"{field.description} (%(default)s)",
        )  # fmt: skip
    add_dry_run(action)


def _limit(name: str) -> Callable[[str], float]:
    """Return argparse's type for a limit of the gate: it says itself what it may be."""

    def parse(text: str) -> float:
        try:
            return float(getattr(GateLimits.model_validate({name: text}), name))
        except ValidationError as error:
            raise argparse.ArgumentTypeError(error.errors()[0]["msg"]) from None

    return parse


def _add_promote(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "make a gated release live, without a failed request"
    action = add_command(actions, "promote", serving.run_promote, text)
    add_release(action)
    action.add_argument(
        "--canary", type=percent, default=0.0, metavar="PERCENT",
        help="of the documents over HTTP, answered by it first",
    )  # fmt: skip
    action.add_argument(
        "--shadow", type=percent, default=0.0, metavar="PERCENT",
        help="of the pages over HTTP, read with it too and compared; needs --service",
    )  # fmt: skip
    action.add_argument(
        "--canary-seconds", type=seconds, metavar="S",
        help="how long both are watched; a reason to stop leaves all as it was "
        f"({CanaryLimits.seconds:.0f})",
    )  # fmt: skip
    action.add_argument(
        "--service", action="append", default=[], metavar="URL",
        help="front service whose /metrics tell what the shadow found; repeatable (SERVICE_URL)",
    )  # fmt: skip
    add_switch_options(action)


def _add_rollback(actions: Actions[argparse.ArgumentParser]) -> None:
    text = "go back to what was live before; ends a switch that was cut off, and a canary"
    action = add_command(actions, "rollback", serving.run_rollback, text)
    action.add_argument("--to", type=positive, metavar="RELEASE", help="another that was live once")
    add_switch_options(action)


def _add_prune(actions: Actions[argparse.ArgumentParser]) -> None:
    action = add_command(actions, "prune", serving.run_prune, "unload and delete old releases")
    action.add_argument(
        "--keep", type=positive, default=building.KEEP, metavar="N",
        help="releases that stay, the live one and the one before it first (%(default)s)",
    )  # fmt: skip
    action.add_argument(
        "--candidates", action="store_true",
        help="count candidates too; else those stay that no gate refused and nobody promoted yet",
    )  # fmt: skip
    add_switch_options(action)


def _add_plan(actions: Actions[argparse.ArgumentParser]) -> None:
    action = add_command(actions, "plan", building.run_plan, "build TensorRT plans of a release")
    action.add_argument("model", nargs="*", help="names of models.toml (all)")
    action.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="for MODEL.plan"
    )
    action.add_argument(
        "--compute-capability",
        choices=("SM75", "SM80", "SM86", "SM89", "SM120"),
        help="build with TensorRT-RTX for that GPU architecture (the GPU of this machine)",
    )
    action.add_argument(
        "--precision", choices=("FP32", "FP16", "INT8"), help="(TENSORRT_PRECISION)"
    )
    action.add_argument("--release", type=positive, metavar="N", help="whose (the live one's)")


if __name__ == "__main__":
    sys.exit(main())
