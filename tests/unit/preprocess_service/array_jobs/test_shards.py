"""Which process of an array job reads which documents."""

import pytest

from preprocess_service.array_jobs.errors import ArrayJobUsageError
from preprocess_service.array_jobs.shards import Shard, find_shard

NAMES = [f"folder/{number}.pdf" for number in range(1000)]


@pytest.mark.parametrize("count", [1, 3, 10])
def test_shards_are_disjoint_complete_and_even(count):
    shards = [{name for name in NAMES if Shard(i, count).takes(name)} for i in range(count)]
    assert sum(map(len, shards)) == len(NAMES)
    assert set().union(*shards) == set(NAMES)
    assert min(map(len, shards)) > 0.6 * len(NAMES) / count


@pytest.mark.parametrize(
    ("environment", "shards", "found"),
    [
        ({}, None, Shard(0, 1)),
        ({}, 1, Shard(0, 1)),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "5"}, None, Shard(2, 5)),
        ({"JOB_COMPLETION_INDEX": "0"}, 8, Shard(0, 8)),
        ({"JOB_COMPLETION_INDEX": "7"}, 8, Shard(7, 8)),
    ],
)
def test_shard_is_what_the_scheduler_says(environment, shards, found):
    assert find_shard(environment, shards) == found


@pytest.mark.parametrize(
    ("environment", "shards", "told"),
    [
        ({}, 4, "neither AWS_BATCH_JOB_ARRAY_INDEX nor"),
        ({"JOB_COMPLETION_INDEX": "0"}, None, "give --shards"),
        ({"JOB_COMPLETION_INDEX": "4"}, 4, "has no part in 4 shards"),
        ({"JOB_COMPLETION_INDEX": "x"}, 4, "is no number"),
    ],
)
def test_half_a_shard_is_refused_rather_than_everything_read_twice(environment, shards, told):
    with pytest.raises(ArrayJobUsageError, match=told):
        find_shard(environment, shards)
