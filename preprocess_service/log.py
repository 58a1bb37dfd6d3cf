"""JSON logs with the request id. Nothing that a caller uploads is ever logged."""

import json
import logging
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

from preprocess_service.tracing import trace_ids

#: Set by the middleware for the duration of a request.
request_id_var: ContextVar[str | None] = ContextVar("request_id", default=None)

_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, ids, and what `extra` holds.

    The ids are `request_id`, and `trace_id` and `span_id` where the request belongs to a trace.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := request_id_var.get():
            entry["request_id"] = request_id
        entry.update(trace_ids())
        entry.update({key: value for key, value in vars(record).items() if key not in _PLAIN})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


def configure_logging(level: str) -> None:
    """Send every logger of this process to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
