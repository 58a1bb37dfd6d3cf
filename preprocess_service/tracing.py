"""Spans that follow a request through its tasks, as W3C `traceparent` texts.

Without an exporter (`monitoring.export_traces`) nothing is recorded, and what a caller sent as
`traceparent` passes through unchanged.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("ocr-server")

Attributes = Mapping[str, str | int]


@dataclass(frozen=True)
class Span:
    """A span under way.

    Attributes:
        traceparent: What makes work elsewhere its child; None where nothing is traced.
    """

    traceparent: str | None
    _span: trace.Span

    def describe(self, name: str, attributes: Attributes) -> None:
        """Rename the span and add to it, once more is known."""
        self._span.update_name(name)
        self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        """Mark the span as failed; the reason quotes nothing that a caller sent."""
        self._span.set_status(StatusCode.ERROR, reason)


@contextmanager
def span(
    name: str,
    parent: str | None,
    attributes: Attributes | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
) -> Iterator[Span]:
    """A span for the block, child of the `traceparent` given; without one it begins a trace."""
    # Texts of exceptions may quote what was uploaded: only the kind of failure is recorded.
    with _TRACER.start_as_current_span(
        name,
        _PROPAGATOR.extract({"traceparent": parent} if parent else {}, Context()),
        kind,
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        found = Span(_current_traceparent(), opened)
        try:
            yield found
        except Exception as exc:
            found.fail(type(exc).__name__)
            raise


def trace_ids() -> dict[str, str]:
    """`trace_id` and `span_id` of the current span, for logs; empty where nothing is traced."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }


def _current_traceparent() -> str | None:
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")
