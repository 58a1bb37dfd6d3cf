"""Docs, dashboard and alerts name the metrics that there are, with the labels that they have."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from embedded.settings import Settings as Stack
from preprocess_service import metrics

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/monitoring.md").read_text()
DASHBOARD = json.loads((ROOT / "deploy/grafana/ocr-server.json").read_text())
ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
SCRAPES = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())

#: What Prometheus adds to every sample.
TARGET_LABELS = {"job", "instance"}
#: Triton 2.51's, https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/metrics.html
TRITON = {
    "nv_inference_request_success": {"model", "version"},
    "nv_inference_request_failure": {"model", "version", "reason"},
    "nv_inference_count": {"model", "version"},
    "nv_inference_exec_count": {"model", "version"},
    "nv_inference_pending_request_count": {"model", "version"},
    "nv_inference_request_duration_us": {"model", "version"},
    "nv_inference_queue_duration_us": {"model", "version"},
    "nv_inference_compute_input_duration_us": {"model", "version"},
    "nv_inference_compute_infer_duration_us": {"model", "version"},
    "nv_inference_compute_output_duration_us": {"model", "version"},
    "nv_gpu_utilization": {"gpu_uuid"},
    "nv_gpu_memory_used_bytes": {"gpu_uuid"},
    "nv_gpu_memory_total_bytes": {"gpu_uuid"},
}


def _own() -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Name → type, help and labels of every metric of the service."""
    found = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name] = (family.type, family.documentation, tuple(metric._labelnames))
    (family,) = metrics.TritonBatchSizes().collect()
    found[family.name] = (family.type, family.documentation, tuple(family._labelnames))
    return found


OWN = _own()


def _samples() -> dict[str, set[str]]:
    """Every name that a query may use → the labels it may ask for."""
    samples = {"up": set(TARGET_LABELS)}
    for name, (kind, _, labels) in OWN.items():
        if kind == "histogram":
            samples[f"{name}_bucket"] = {*labels, "le"} | TARGET_LABELS
            samples |= {f"{name}_{part}": {*labels} | TARGET_LABELS for part in ("sum", "count")}
        else:
            samples[name] = {*labels} | TARGET_LABELS
    return samples | {name: labels | TARGET_LABELS for name, labels in TRITON.items()}


SAMPLES = _samples()
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
QUERIES = [
    *[target["expr"] for panel in PANELS for target in panel["targets"]],
    *[annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]],
    *[rule["expr"] for rule in RULES],
]


def _check(query: str) -> None:
    used = re.findall(r"\b((?:ocr|nv)_\w+|up)\b(?:\{([^}]*)\})?", re.sub(r'"[^"]*"', '""', query))
    assert used, query
    for name, matchers in used:
        assert name in SAMPLES, f"{name} is no metric: {query}"
        asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        assert asked <= SAMPLES[name], f"{name} has no {asked - SAMPLES[name]}: {query}"
    grouped = {
        label for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(", ")
    }
    for label in grouped:
        assert any(label in SAMPLES[name] for name, _ in used), f"nothing has {label}: {query}"


@pytest.mark.parametrize("query", QUERIES)
def test_queries_use_metrics_and_labels_that_exist(query):
    _check(query)


@pytest.mark.parametrize(
    "query",
    [
        "rate(ocr_request_total[5m])",
        'ocr_pages_total{state="failed"}',
        "sum by (model) (ocr_pages_total)",
        "ocr_stage_seconds",
        "nv_inference_queue_us",
    ],
)
def test_the_check_finds_what_does_not_exist(query):
    with pytest.raises(AssertionError):
        _check(query)


@pytest.mark.parametrize("query", QUERIES)
def test_brackets_of_queries_are_closed(query):
    for opening, closing in ("()", "{}", "[]"):
        assert query.count(opening) == query.count(closing)


def test_docs_list_every_metric_and_no_other():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", DOCS, flags=re.MULTILINE)
    documented = {
        name: (kind, text, tuple(re.findall(r"\w+", labels))) for name, kind, labels, text in rows
    }
    assert documented == OWN


def test_docs_say_what_to_do_about_every_alert():
    said = re.findall(r"^\| `([A-Z]\w+)` \|", DOCS, flags=re.MULTILINE)
    assert said == [rule["alert"] for rule in RULES]


def test_every_metric_is_on_the_dashboard_or_in_an_alert():
    text = " ".join(QUERIES)
    not_shown = {"ocr_build_info", "ocr_gpu_available"}
    assert {name for name in OWN if name not in text} <= not_shown


def test_alerts_are_complete():
    for rule in RULES:
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_alerts_name_jobs_that_are_scraped():
    scraped = {config["job_name"] for config in SCRAPES["scrape_configs"]}
    asked = {job for query in QUERIES for job in re.findall(r'job="([^"]+)"', query)}
    assert asked <= scraped
    assert SCRAPES["rule_files"] == ["alerts.yml"]


def test_panels_have_ids_places_and_no_overlap():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_each_scrape_has_a_port_of_its_own_beside_the_local_stack():
    ports = [
        int(target.rpartition(":")[2])
        for job in SCRAPES["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    ]
    taken = {name: field.default for name, field in Stack.model_fields.items() if "port" in name}
    others = {taken[name] for name in ("triton_grpc_port", "triton_http_port", "valkey_port")}
    assert {taken["port"], taken["triton_metrics_port"]} <= set(ports)
    assert not others & set(ports)
