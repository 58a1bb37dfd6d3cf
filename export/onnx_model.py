"""From a model's spec to its self-describing ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from export import simplify, surgery
from export.alphabet import Alphabet, cut, read_dictionary
from export.errors import FetchError
from export.fetch import SourceFiles
from export.paddle.convert import PaddleModel, convert
from export.spec import ModelSpec, Spec
from export.tensors import FREE, onnx_input, onnx_outputs


@dataclass(frozen=True)
class Published:
    """A model as its authors ship it, with the alphabet it was trained on."""

    name: str
    model: ModelSpec
    onnx: bytes
    full: Alphabet | None
    alphabet: Alphabet | None
    paddle: PaddleModel | None = None


def read_published(name: str, spec: Spec, files: SourceFiles, cache: Path) -> Published:
    """Return a model as published, converted where it is Paddle's, and its alphabet."""
    model = spec.models[name]
    full = alphabet = None
    if model.dictionary is not None and model.alphabet is not None:
        full = alphabet = read_dictionary(_text(files.read(model.dictionary), model.dictionary))
        if model.alphabet != "full":
            alphabet = cut(full, model.alphabet, spec.alphabets[model.alphabet])
    paddle = _read_paddle(name, model, files)
    onnx = convert(paddle, cache) if paddle else files.read(model.file)
    return Published(name, model, onnx, full, alphabet, paddle)


def _read_paddle(name: str, model: ModelSpec, files: SourceFiles) -> PaddleModel | None:
    if model.paddle_form is None:
        return None
    program, parameters = (files.read(file) for file in model.files[:2])
    return PaddleModel(name, model.paddle_form, program, parameters)


def build_onnx(published: Published, spec: Spec, said: Mapping[str, str]) -> bytes:
    """Return the ONNX file of a model: pixels in, the project's tensors out.

    Args:
        published: What the source holds.
        spec: The models table.
        said: Metadata beyond what the spec says of the model.
    """
    model = published.model
    pixels = onnx_input(spec, model)
    shape = (
        "N",
        *(free if size == FREE else size for free, size in zip("HWC", pixels.dims, strict=True)),
    )
    graph = surgery.load_graph(published.onnx)
    surgery.take_pixels(graph, spec.task(model), pixels.name, shape)
    if published.alphabet is not None and published.full is not None:
        surgery.give_codepoints(graph, published.alphabet, published.full, published.name)
    elif model.task == "detection":
        simplify.simplify(graph)
        surgery.give_probability_map(graph)
    else:
        surgery.give_class_probability(graph, onnx_outputs(model)[0].dims[0])
    return surgery.save_graph(graph, {**_metadata(published, spec), **said})


def _metadata(published: Published, spec: Spec) -> dict[str, str]:
    model = published.model
    source = spec.sources[model.source]
    said = {
        "task": model.task,
        "source": f"{source.place} {model.file}",
        "source_sha256": source.sha256,
        "licence": source.licence,
    }
    if published.alphabet is not None:
        said["alphabet"] = published.alphabet.name
        said["classes"] = str(len(published.alphabet.codepoints))
        said["pixels_per_step"] = str(spec.tasks.recognition.pixels_per_step)
    return said


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FetchError(f"the dictionary {file} is not UTF-8: {error}") from error
