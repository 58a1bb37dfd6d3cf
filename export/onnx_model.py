"""From a model's spec to its self-describing ONNX file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from export import surgery
from export.alphabet import Alphabet, cut, read_dictionary
from export.errors import FetchError
from export.fetch import SourceFiles
from export.spec import ModelSpec, OrientationSpec, RecognitionSpec, Spec

CLASSES = {"textline_orientation": 2, "page_orientation": 4}


@dataclass(frozen=True)
class Published:
    """A model as its authors ship it, with the alphabet it was trained on."""

    name: str
    model: ModelSpec
    onnx: bytes
    full: Alphabet | None
    alphabet: Alphabet | None


def read_published(name: str, spec: Spec, files: SourceFiles) -> Published:
    """Return a model's published bytes and the alphabet that models.toml gives it."""
    model = spec.models[name]
    full = alphabet = None
    if model.dictionary is not None and model.alphabet is not None:
        full = alphabet = read_dictionary(_text(files.read(model.dictionary), model.dictionary))
        if model.alphabet != "full":
            alphabet = cut(full, model.alphabet, spec.alphabets[model.alphabet])
    return Published(name, model, files.read(model.file), full, alphabet)


def build_onnx(published: Published, spec: Spec, languages: Iterable[str]) -> bytes:
    """Return the ONNX file of a model: pixels in, the project's tensors out.

    Args:
        published: What the source holds.
        spec: The models table.
        languages: Codes of the languages that its alphabet writes, for the metadata.
    """
    task = spec.task(published.model)
    graph = surgery.load_graph(published.onnx)
    if published.alphabet is not None and published.full is not None:
        assert isinstance(task, RecognitionSpec)
        surgery.take_pixels(graph, task, "CROP", ("N", task.height, "W", 3))
        surgery.give_codepoints(graph, published.alphabet, published.full, published.name)
    elif isinstance(task, OrientationSpec):
        name = "IMAGE" if published.model.task == "page_orientation" else "CROP"
        surgery.take_pixels(graph, task, name, ("N", task.height, task.width, 3))
        surgery.give_class_probability(graph, CLASSES[published.model.task])
    else:
        surgery.take_pixels(graph, task, "IMAGE", ("N", "H", "W", 3))
        surgery.give_probability_map(graph)
    return surgery.save_graph(graph, _metadata(published, spec, languages))


def _metadata(published: Published, spec: Spec, languages: Iterable[str]) -> dict[str, str]:
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
        said["languages"] = " ".join(languages)
    return said


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FetchError(f"the dictionary {file} is not UTF-8: {error}") from error
