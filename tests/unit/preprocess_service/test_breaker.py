from preprocess_service.breaker import Breaker


def _make_breaker():
    now = [0.0]
    return now, Breaker(lambda: now[0])


def test_closed_it_lets_everything_through():
    _, breaker = _make_breaker()
    assert breaker.lets_through()
    assert breaker.lets_through()
    assert not breaker.report_success()


def test_one_try_per_pause_and_pauses_grow():
    now, breaker = _make_breaker()
    assert breaker.report_failure()
    tries = []
    for tenth in range(1000):
        now[0] = tenth / 10
        if breaker.lets_through():
            tries.append(now[0])
            assert not breaker.lets_through()
            assert not breaker.report_failure()
    assert tries == [1, 3, 7, 15, 31, 61, 91]


def test_success_closes_it_and_shortens_the_pause_again():
    now, breaker = _make_breaker()
    for _ in range(5):
        breaker.report_failure()
    assert breaker.report_success()
    assert not breaker.is_open
    assert breaker.report_failure()
    now[0] = 1.0
    assert breaker.lets_through()
