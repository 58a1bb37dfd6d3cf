from preprocess_service.errors import ERRORS, InternalError, QueueFullError, error_from_code


def test_codes_are_unique_and_statuses_are_errors():
    assert len({error.code for error in ERRORS.values()}) == len(ERRORS)
    assert all(400 <= error.status < 600 for error in ERRORS.values())


def test_every_status_that_says_when_to_retry_is_retryable():
    assert all(e.retryable for e in ERRORS.values() if e.retry_after_seconds is not None)
    assert {e.status for e in ERRORS.values() if e.retry_after_seconds is not None} == {
        429,
        503,
        507,
    }


def test_problem_has_the_members_of_rfc_9457_and_ours():
    problem = QueueFullError("full").problem("r1").model_dump()
    assert problem == {
        "type": "urn:ocr-server:problem:queue_full",
        "title": "Too much at once",
        "status": 429,
        "detail": "full",
        "code": "queue_full",
        "request_id": "r1",
        "retryable": True,
    }


def test_error_comes_back_from_its_code():
    assert isinstance(error_from_code("queue_full", "x"), QueueFullError)
    assert isinstance(error_from_code("made_up", "x"), InternalError)
