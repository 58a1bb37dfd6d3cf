"""Models of any name on the real Triton, and what a page is answered when one of them fails."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException

from embedded.triton import Triton, running_triton, settings_on_free_ports
from export.configs import config_text, read_config
from export.host import Host
from export.model_set import SetBuilder
from export.tables import read_spec
from ocr_base.triton import CONTROL_HEADER
from releases.repository import Repository
from releases.stage import stage_set
from releases.store import ReleaseStore
from releases.switch import Switch
from tests.unit.export.conftest import QUIET
from tests.unit.export.small_world import FILES, LANGUAGES, NORMALIZATION, TABLE

NAMES = {
    "text_detection": "finder",
    "text_recognition_latin": "western",
    "text_recognition": "kana",
    "textline_orientation]": "heads]",
    "page_orientation]": "turns]",
}
POISON = 7
PICKY = f"""
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        tensors = (pb_utils.get_input_tensor_by_name(r, "CROP") for r in requests)
        return [self.answer(tensor.as_numpy()) for tensor in tensors]

    def answer(self, crops):
        if (crops == {POISON}).any():
            return pb_utils.InferenceResponse(error=pb_utils.TritonError("poison"))
        steps = (len(crops), crops.shape[2] // 8)
        return pb_utils.InferenceResponse([
            pb_utils.Tensor("CODEPOINT", np.full(steps, ord("x"), np.int32)),
            pb_utils.Tensor("PROBABILITY", np.ones(steps, np.float32)),
        ])
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """A release whose models have names of their own; one recognizer fails on some pixels."""
    folder = tmp_path_factory.mktemp("odd")
    for name, make in FILES.items():
        (folder / name).write_bytes(make())
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in sorted(FILES)))
    table = TABLE.replace("NORMALIZATION", NORMALIZATION).replace("FOLDER", str(folder))
    for usual, odd in NAMES.items():
        table = table.replace(f"models.{usual}", f"models.{odd}").replace(f'"{usual}"', f'"{odd}"')
    # The small world's canvases are narrower than the overlap of two windows.
    table = table.replace("[[64, 96], [96, 64]]", "[[256, 256]]")
    (folder / "models.toml").write_text(table.replace("SHA256", digest.hexdigest()))
    spec, host = read_spec(folder / "models.toml"), Host("cpu", 2)
    store, repository = ReleaseStore(folder / "releases"), Repository(folder / "models")
    with store.locked():
        built = SetBuilder(spec, LANGUAGES, host, folder / "cache").build()
        stage_set(store, built, spec, host, QUIET, dry_run=False)
        Switch(store, repository, None, QUIET).promote(1)
    make_picky(repository.folder / "kana_r1")
    with running_triton(settings_on_free_ports(repository.folder, folder / "runtime")) as triton:
        yield triton


def make_picky(model: Path) -> None:
    """Put a model in Python in the place of one with weights."""
    config = read_config(model / "config.pbtxt")
    config.backend = "python"
    for field in ("model_warmup", "parameters", "optimization"):
        config.ClearField(field)
    (model / "config.pbtxt").write_text(config_text(config))
    (model / "1" / "model.py").write_text(PICKY)


def draw(ink: int) -> np.ndarray:
    page = np.full((60, 90, 3), 255, np.uint8)
    page[20:34, 10:80] = ink
    return page


def read(triton: Triton, page: np.ndarray, strategy: str, *languages: str) -> list[bytes]:
    inputs = [grpc.InferInput("PIXELS", list(page.shape), "UINT8")]
    inputs[0].set_data_from_numpy(page)
    for name, values in (("STRATEGY", [strategy]), ("LANGUAGE", languages)):
        if values:
            inputs.append(grpc.InferInput(name, [len(values)], "BYTES"))
            encoded = [value.encode() for value in values]
            inputs[-1].set_data_from_numpy(np.array(encoded, np.object_))
    with grpc.InferenceServerClient(triton.settings.triton_grpc_address) as client:
        return client.infer("page_reading_r1", inputs).as_numpy("TEXT").tolist()


@pytest.mark.parametrize("languages", [(), ("en",), ("zh",)])
@pytest.mark.parametrize("strategy", ["balanced", "accuracy"])
def test_models_of_any_name_read(odd: Triton, strategy: str, languages: tuple[str, ...]) -> None:
    assert read(odd, draw(0), strategy, *languages)


def test_a_page_that_a_model_fails_on_is_no_reason_to_come_back(odd: Triton) -> None:
    with pytest.raises(InferenceServerException, match="kana: poison") as failed:
        read(odd, draw(POISON), "balanced", "zh")
    assert failed.value.status() == "StatusCode.INTERNAL"
    assert read(odd, draw(0), "balanced", "zh") == [b"x"]


def test_a_model_that_is_away_is_a_reason_to_come_back(odd: Triton) -> None:
    key = {f"triton-grpc-protocol-{CONTROL_HEADER}": odd.control_key}
    with grpc.InferenceServerClient(odd.settings.triton_grpc_address) as client:
        client.unload_model("western_r1", headers=key)
        with pytest.raises(InferenceServerException, match="western: ") as failed:
            read(odd, draw(0), "balanced", "en")
        assert failed.value.status() == "StatusCode.UNAVAILABLE"
        client.load_model("western_r1", headers=key)
        assert read(odd, draw(0), "balanced", "en")
