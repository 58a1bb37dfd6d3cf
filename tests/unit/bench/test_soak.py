import pytest

from bench.soak import growth, process_name


@pytest.mark.parametrize(
    ("samples", "share"),
    [([100] * 8, 0.0), ([1, 1, 1, 1, 100, 100, 110, 110], 0.1), ([900] * 4 + [100] * 4, 0.0)],
)
def test_growth_looks_at_the_second_half_alone(samples, share):
    assert growth(samples) == pytest.approx(share)


def test_processes_are_named_after_what_they_serve():
    stub = ["/x/triton_python_backend_stub", "/r/model_repository/page_reading/1/model.py", "shm"]
    assert process_name(stub) == "page_reading"
    assert process_name(["/x/tritonserver", "--model-repository=/r"]) == "tritonserver"
    assert process_name(["python", "-m", "preprocess_service"]) == "preprocess_service"
