"""JSON logs with the request id. Nothing that a caller sends is ever logged."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

from preprocess_service.tracing import trace_ids

#: Set by the middleware for the duration of a request.
request_id_var: ContextVar[str | None] = ContextVar("request_id", default=None)

# The server's own say where it listens and that it stops.
_OWN_LOGGERS = ("preprocess_service", "uvicorn.error")
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
        if record.exc_info and (error := record.exc_info[1]):
            entry["exception"] = _explain(error)
        return json.dumps(entry, default=str, ensure_ascii=False)


def configure_logging(level: str) -> None:
    """Send the log of this process to standard error as JSON: of libraries, warnings and worse.

    What libraries say below that quotes what they handle: URLs with their signatures, headers,
    commands to Redis.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(
        level=max(logging.getLevelName(level), logging.WARNING), handlers=[handler], force=True
    )
    for name in _OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)


def _explain(error: BaseException) -> str:
    """The kinds and places of an error and of what led to it, but for the system's without text.

    A text may quote what a caller sent: pydantic's does.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = [*getattr(error, "exceptions", ()), *([cause] if cause else [])]
    text = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    places = "".join(traceback.format_tb(error.__traceback__))
    return "\n".join([*map(_explain, before), f"{type(error).__qualname__}{text}\n{places}"])
