"""`model_repository/README.md`: what stands in the folder that Triton reads, out of models.toml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export.configs import all_configs
from export.host import Host
from export.spec import Spec
from ocr_base.reading import DEFAULT_STRATEGY
from ocr_base.triton import PUBLIC, READER

_PAGE = Path(__file__).with_name("repository_page.md")
_STRATEGY = ("detection", "recognition", "page_orientation", "textline_orientation")


def repository_page(spec: Spec) -> str:
    """Return the text of the page for a table of models, as a CPU serves them."""
    writes: Mapping[str, list[str]] = {name: [] for name in spec.recognizers()}
    texts = all_configs(spec, Host("cpu", cores=1), writes, dict.fromkeys(spec.models, ""))
    configs = [text_format.Parse(text, triton.ModelConfig()) for text in texts.values()]
    served = [config for config in configs if config.platform != "ensemble"]
    return _PAGE.read_text(encoding="utf-8").format(
        loaded=len(configs) + len(served),
        served=len(served),
        public=len(configs),
        strategies=_table(("strategy", *_STRATEGY), _strategy_rows(spec)),
        models=_table(("model", "kind", "batch", "takes", "answers"), map(_model_row, configs)),
    )


def _strategy_rows(spec: Spec) -> Iterable[tuple[str, ...]]:
    for name, strategy in spec.strategies.items():
        recognition = ", ".join(f"`{model}`" for model in strategy.recognition)
        turns = strategy.page_orientation.replace("_", " ")
        lines = "always" if strategy.textline_orientation else "never"
        told = f"`{name}`" + (f" (also `{PUBLIC}`)" if name == DEFAULT_STRATEGY else "")
        yield told, f"`{strategy.detection}`", recognition, turns, lines


def _model_row(config: Any) -> tuple[str, ...]:
    kind = config.platform or {"python": "Python step"}.get(config.backend, "ONNX")
    if config.name == READER:
        kind += ", asks models"
    batch = str(config.max_batch_size) if config.max_batch_size else "-"
    return f"`{config.name}`", kind, batch, _tensors(config.input), _tensors(config.output)


def _tensors(tensors: Iterable[Any]) -> str:
    return ", ".join(map(_tensor, tensors))


def _tensor(tensor: Any) -> str:
    datatype = triton.DataType.Name(tensor.data_type).removeprefix("TYPE_")
    sides = ",".join(map(str, tensor.dims))
    told = f"`{tensor.name}` {datatype.replace('STRING', 'BYTES')} [{sides}]"
    return f"({told})" if getattr(tensor, "optional", False) else told


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head), *map(tuple, rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
