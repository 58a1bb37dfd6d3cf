"""More requests at once than there are connections to Redis: each waits its turn, none fails."""

import asyncio
from collections import Counter

import pytest
from limits import RateLimitItemPerMinute

from preprocess_service.api.limits.rates import RateLimiter
from preprocess_service.reading.cache.redis_tier import RedisTier
from tests.unit.preprocess_service.jobs.conftest import JOBS, numbered_pdf, submit

AT_ONCE = 300


@pytest.fixture
def settings(settings):
    return settings.model_copy(
        update={"uploads_per_caller": AT_ONCE, "max_concurrent_uploads": AT_ONCE}
    )


async def statuses(*requests) -> Counter[int]:
    return Counter(answer.status_code for answer in await asyncio.gather(*requests))


async def test_jobs_are_looked_at_submitted_and_canceled(client):
    job_id = await submit(client, numbered_pdf(1))
    looks = [client.get(f"{JOBS}/{job_id}/status") for _ in range(AT_ONCE)]
    assert await statuses(*looks) == {200: AT_ONCE}
    file = {"file": numbered_pdf(1)}
    more = [client.post(f"{JOBS}/submit", files=file) for _ in range(AT_ONCE)]
    answers = await asyncio.gather(*more)
    assert {answer.status_code for answer in answers} == {202}
    ends = [client.delete(f"{JOBS}/{answer.json()['job_id']}") for answer in answers]
    assert await statuses(*ends) == {204: AT_ONCE}


async def test_requests_are_counted_together(valkey, redis):
    limiter = RateLimiter(valkey.url)
    rate = RateLimitItemPerMinute(AT_ONCE // 2)
    try:
        hits = await asyncio.gather(*[limiter.hit(rate, "one") for _ in range(AT_ONCE)])
        assert sum(is_within for is_within, _ in hits) == AT_ONCE // 2
        (window,) = await redis.keys("ocr:rate*")
        assert await redis.llen(window) == AT_ONCE // 2
    finally:
        await limiter.close()


async def test_answers_are_kept_and_found(valkey, redis):
    tier = RedisTier(valkey.url, 1 << 20)
    try:
        await asyncio.gather(*[tier.get("absent") for _ in range(AT_ONCE)])
    finally:
        await tier.close()
