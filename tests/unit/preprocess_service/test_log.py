import json
import logging

from preprocess_service.log import JsonFormatter, request_id_var


def test_a_record_is_one_json_line_with_request_id_and_extra():
    record = logging.makeLogRecord(
        {"msg": "page\n%s", "args": ("read",), "levelname": "INFO", "pages": 3}
    )
    token = request_id_var.set("r1")
    try:
        line = JsonFormatter().format(record)
    finally:
        request_id_var.reset(token)
    entry = json.loads(line)
    assert "\n" not in line
    assert (entry["message"], entry["request_id"], entry["pages"]) == ("page\nread", "r1", 3)


def test_exceptions_are_told():
    try:
        raise ValueError("cause")
    except ValueError as exc:
        record = logging.makeLogRecord(
            {"msg": "x", "exc_info": (type(exc), exc, exc.__traceback__)}
        )
    assert "ValueError: cause" in json.loads(JsonFormatter().format(record))["exception"]
