"""What schemathesis cannot know of this API: DELETE of a job cancels it, and it stays to see."""

from typing import Any

import schemathesis

_ENDED = ("succeeded", "failed", "canceled")
_canceled: set[str] = set()


@schemathesis.check
def what_was_canceled_has_ended(ctx: Any, response: Any, case: Any) -> None:
    """After a DELETE that was answered with success, the job has ended, however it is looked at."""
    job_id = (case.path_parameters or {}).get("job_id")
    if case.method == "DELETE" and response.status_code in (202, 204):
        _canceled.add(job_id)
    elif job_id in _canceled and response.status_code == 200 and case.path.endswith("/status"):
        assert response.json()["status"] in _ENDED
    elif job_id in _canceled and case.path.endswith("/result"):
        assert response.status_code != 202, "the result of a canceled job is still awaited"
