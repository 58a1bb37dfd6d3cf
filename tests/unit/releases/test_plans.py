"""Releases whose models are plans: all but the building and serving, which need a GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from export.errors import HostError, PlanError
from export.host import Host, read_versions
from export.model_set import SetBuilder
from export.plans.build import PlanBuilder
from releases.errors import ReleaseError
from releases.fitting import require_fit
from releases.stage import stage_set
from releases.store import ReleaseStore
from tests.unit.export.conftest import QUIET

GPU = Host("gpu", 2, "FP16", "tensorrt")


def build_plan(builder: PlanBuilder, name: str, onnx: bytes) -> dict[str, str]:
    """Stand where TensorRT would: what it makes is only carried here."""
    builder.output.mkdir(parents=True, exist_ok=True)
    (builder.output / f"{name}.plan").write_bytes(b"plan of " + name.encode())
    return {"tensorrt": f"{read_versions()['TENSORRT_VERSION']}.18", "gpu": "SM89"}


@pytest.fixture
def planned(second_builder: SetBuilder, store: ReleaseStore, monkeypatch) -> ReleaseStore:
    monkeypatch.setattr(PlanBuilder, "build", build_plan)
    built = replace(second_builder, host=GPU).build()
    assert stage_set(store, built, second_builder.spec, GPU, QUIET, dry_run=False) == 2
    return store


def test_a_release_of_plans_has_them_beside_their_graphs(planned: ReleaseStore) -> None:
    folder = planned.models(2) / "text_detection"
    config = text_format.Parse((folder / "config.pbtxt").read_text(), triton.ModelConfig())
    assert (config.backend, config.default_model_filename) == ("tensorrt", "model.plan")
    assert config.instance_group[0].kind == triton.ModelInstanceGroup.KIND_GPU
    assert (config.instance_group[0].count, config.max_batch_size) == (2, 8)
    assert (folder / "1" / "model.plan").read_bytes() == b"plan of text_detection"
    assert (folder / "1" / "model.onnx").is_file()
    assert planned.manifest(2).needs["gpu"] == "SM89"


def test_plans_fit_the_host_they_were_built_for(planned: ReleaseStore) -> None:
    require_fit(planned.manifest(2), "SM89")
    require_fit(planned.manifest(2), None)
    require_fit(planned.manifest(1), "SM75")


def test_plans_of_another_host_are_refused_with_the_command(planned: ReleaseStore) -> None:
    manifest = planned.manifest(2)
    with pytest.raises(ReleaseError, match=r"gpu SM89, this host has SM75.*--engine tensorrt"):
        require_fit(manifest, "SM75")
    older = manifest.model_copy(update={"needs": {**manifest.needs, "tensorrt": "9.3.0"}})
    with pytest.raises(ReleaseError, match=r"tensorrt 9\.3\.0, this host has 10"):
        require_fit(older, "SM89")


def test_without_tensorrt_here_nothing_is_staged(second_builder: SetBuilder) -> None:
    with pytest.raises(PlanError, match="TensorRT is not installed here"):
        replace(second_builder, host=GPU).build()


def test_plans_need_a_gpu() -> None:
    with pytest.raises(HostError, match="--device gpu"):
        Host("cpu", 2, "FP16", "tensorrt")


def test_every_config_for_a_gpu_is_parsed_back(second_builder: SetBuilder) -> None:
    built = replace(second_builder, host=Host("gpu", 2, "FP16")).build()
    for path, data in built.files.items():
        if path.name == "config.pbtxt":
            assert isinstance(data, bytes)
            config = text_format.Parse(data.decode(), triton.ModelConfig())
            assert config.name == Path(path).parent.name
