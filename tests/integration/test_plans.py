"""TensorRT plans of the installed models, built by TensorRT-RTX without a GPU."""

import json

import onnx
import pytest

from export.errors import PlanError
from export.plans.build import PlanBuilder, Target
from export.precision import with_precision
from export.tables import read_spec
from ocr_base.places import CHECKOUT, DOWNLOADS
from releases.store import ReleaseStore

MODELS = ("text_detection", "text_recognition", "text_recognition_tiny_latin")


@pytest.fixture(scope="module")
def spec():
    return read_spec()


def installed(spec, name: str) -> bytes:
    live = ReleaseStore(CHECKOUT / ".releases").state().live
    return (CHECKOUT / ".releases" / f"{live}" / "models" / name / "1" / "model.onnx").read_bytes()


@pytest.mark.parametrize("compute_capability", ["SM75", "SM86", "SM89", "SM120"])
@pytest.mark.parametrize("name", MODELS)
def test_plan_has_the_profile_and_the_tensors_of_the_table(
    spec, tmp_path, name, compute_capability
):
    builder = PlanBuilder(spec, Target(compute_capability, "FP16"), tmp_path, DOWNLOADS)
    record = builder.build(name, installed(spec, name))
    assert json.loads((tmp_path / f"{name}.plan.json").read_text()) == record
    assert (tmp_path / f"{name}.plan").stat().st_size == record["bytes"]
    task = spec.task(spec.models[name])
    least, _, most = record["profile"]
    assert (least[0], most[0]) == (1, task.max_batch_size.gpu)
    if name == "text_detection":
        assert record["outputs"]["PROBABILITY_MAP"][0] == "UINT8"
        assert least[1:3] == [736, 736]
        assert most[1:3] == [1984, 1312]
    else:
        assert {key: dtype for key, (dtype, _) in record["outputs"].items()} == {
            "CODEPOINT": "INT32", "PROBABILITY": "FLOAT",
        }  # fmt: skip
        assert (least[1:3], most[1:3]) == ([48, 96], [48, 1536])


@pytest.mark.parametrize("name", ["text_detection", "text_recognition_tiny_latin"])
def test_calibrated_graphs_become_plans(spec, tmp_path, name):
    builder = PlanBuilder(spec, Target("SM89", "INT8"), tmp_path, DOWNLOADS)
    assert builder.build(name, installed(spec, name))["precision"] == "INT8"
    rounded = onnx.load_model_from_string(with_precision(installed(spec, name), "INT8"))
    assert any(node.op_type == "QuantizeLinear" for node in rounded.graph.node)


def test_half_precision_halves_the_weights_and_keeps_the_tensors(spec):
    whole = installed(spec, "text_recognition")
    half = with_precision(whole, "FP16")
    assert len(half) < 0.6 * len(whole)
    before, after = (onnx.load_model_from_string(data).graph for data in (whole, half))
    for side in ("input", "output"):
        assert [t.type.tensor_type.elem_type for t in getattr(before, side)] == [
            t.type.tensor_type.elem_type for t in getattr(after, side)
        ]


def test_without_a_gpu_the_way_out_is_named(spec, tmp_path):
    builder = PlanBuilder(spec, Target(None, "FP16"), tmp_path, DOWNLOADS)
    with pytest.raises(PlanError, match="--compute-capability"):
        builder.build("text_recognition", installed(spec, "text_recognition"))


def test_what_tensorrt_says_is_told(spec, tmp_path):
    builder = PlanBuilder(spec, Target("SM89", "FP32"), tmp_path, DOWNLOADS)
    with pytest.raises(PlanError, match="text_recognition: TensorRT builds no plan"):
        builder.build("text_recognition", b"no graph")
    assert list(tmp_path.iterdir()) == []
