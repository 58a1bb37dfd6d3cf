import json
import logging
import subprocess
import sys

import pytest
from pydantic import TypeAdapter

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


SENT = "".join(("pass", "word"))


def explained(error: BaseException) -> str:
    info = (type(error), error, error.__traceback__)
    record = logging.makeLogRecord({"msg": "x", "exc_info": info})
    return json.loads(JsonFormatter().format(record))["exception"]


def test_exceptions_tell_their_kinds_and_places_and_not_what_a_caller_sent():
    class SeveralError(Exception):
        exceptions = (KeyError(SENT),)  # as an ExceptionGroup has them

    try:
        try:
            TypeAdapter(int).validate_python(SENT)
        except ValueError as exc:
            raise SeveralError(SENT) from exc
    except SeveralError as exc:
        told = explained(exc)
    assert SENT not in told
    for kind in ("ValidationError", "KeyError", "SeveralError"):
        assert f"{kind}\n" in told
    assert "test_log.py" in told


def test_what_the_system_says_is_told(tmp_path):
    with pytest.raises(OSError, match="absent-name") as raised:
        (tmp_path / "absent-name").open()
    assert "FileNotFoundError: No such file or directory" in explained(raised.value)
    assert "absent-name" not in explained(raised.value).replace('"absent-name"', "")


@pytest.mark.parametrize(("level", "own"), [("DEBUG", 10), ("INFO", 20), ("ERROR", 40)])
def test_libraries_are_heard_from_warnings_on(level, own):
    code = (
        "import logging, sys; from preprocess_service.log import configure_logging;"
        f"configure_logging({level!r});"
        "print(*(logging.getLogger(n).getEffectiveLevel()"
        " for n in ('preprocess_service.api.app', 'uvicorn.error', 'httpx', 'httpcore', 'docket')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    library = max(own, logging.WARNING)
    assert done.stdout.split() == list(map(str, (own, own, library, library, library)))
