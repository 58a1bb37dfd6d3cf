"""Which documents this process reads, of all the processes of an array job."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from preprocess_service.array_jobs.errors import ArrayJobUsageError

#: Set by AWS Batch and by Kubernetes in each process of an array or indexed job.
INDEX_VARIABLES = ("AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX")
COUNT_VARIABLE = "AWS_BATCH_JOB_ARRAY_SIZE"


@dataclass(frozen=True)
class Shard:
    """One of `count` parts of the documents, counted from 0."""

    index: int
    count: int

    def takes(self, name: str) -> bool:
        """Whether the document is of this part; it stays there whatever else is added."""
        digest = hashlib.sha256(os.fsencode(name)).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index


def find_shard(environment: Mapping[str, str], shards: int | None) -> Shard:
    """This process's part, by the scheduler's index and by `shards` or the scheduler's size.

    Raises:
        ArrayJobUsageError: One of the two is missing, or they do not fit each other.
    """
    count = shards or _number(environment, COUNT_VARIABLE)
    indices = (_number(environment, name) for name in INDEX_VARIABLES)
    index = next((number for number in indices if number is not None), None)
    if index is None and (count is None or count == 1):
        return Shard(0, 1)
    if index is None:
        raise ArrayJobUsageError(
            f"There are {count} shards, and neither {' nor '.join(INDEX_VARIABLES)} says which "
            "of them this is."
        )
    if count is None:
        raise ArrayJobUsageError(
            f"This is process {index} of an array job, of how many is unknown: give --shards."
        )
    if index >= count:
        raise ArrayJobUsageError(f"Process {index} (from 0) has no part in {count} shards.")
    return Shard(index, count)


def _number(environment: Mapping[str, str], name: str) -> int | None:
    value = environment.get(name)
    if value and not value.isdigit():
        raise ArrayJobUsageError(f"{name}: {value!r} is no number.")
    return int(value) if value else None
