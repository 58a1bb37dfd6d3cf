"""Traces to an OpenTelemetry collector, OTLP as JSON over HTTP."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.http import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_FLUSH_SECONDS = 3.0


def export_traces(url: str, service_name: str) -> None:
    """Send every span of this process to `url` from now on; once per process.

    Sampler, headers, certificates and the like are those of the standard `OTEL_*` variables.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": service_name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    trace.set_tracer_provider(provider)


def flush_traces() -> None:
    """Send what has been recorded, before the process ends; gives up after a few seconds."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(int(_FLUSH_SECONDS * 1000))
