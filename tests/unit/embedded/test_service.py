import logging

import pytest

from embedded import service as module
from embedded.errors import StartError
from embedded.service import Service, State


class FakeProcess:
    """A process whose end the test decides."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.starts = 0
        self.stopped = False

    def start(self) -> None:
        self.code, self.starts = None, self.starts + 1

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = 137

    def stop(self) -> None:
        self.stopped = True


class FakeProbe:
    """Answers as the test says."""

    ready = True
    fault = ""

    def is_ready(self) -> bool:
        return self.ready

    def find_fault(self) -> str:
        return self.fault

    def explain(self) -> str:
        return " It was tired."


class FakeClock:
    """Time that passes when told."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def make() -> tuple[Service, FakeProcess, FakeProbe]:
    process, probe = FakeProcess(), FakeProbe()
    return Service("Server", process, probe, startup_seconds=60), process, probe  # type: ignore[arg-type]


def make_ready() -> tuple[Service, FakeProcess, FakeProbe]:
    service, process, probe = make()
    service.start()
    service.check_start()
    assert service.state is State.READY
    return service, process, probe


def test_a_death_while_starting_is_an_error_with_the_process_own_words(clock: FakeClock) -> None:
    service, process, _ = make()
    service.start()
    process.code = 1
    with pytest.raises(StartError, match=r"ended with code 1 while starting. It was tired"):
        service.check_start()


def test_a_start_beyond_the_deadline_is_ended_and_names_the_setting(clock: FakeClock) -> None:
    service, process, probe = make()
    probe.ready = False
    service.start()
    clock.now += 59
    service.check_start()
    clock.now += 2
    with pytest.raises(StartError, match=r"60 s.*TRITON_STARTUP_TIMEOUT"):
        service.check_start()
    assert process.stopped


def test_a_dead_process_is_started_again_after_a_growing_pause(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    service, process, _ = make_ready()
    pauses = []
    for _ in range(7):
        process.code = 139
        service.keep_alive()
        died = clock.now
        while service.state is State.WAITING:
            clock.now += 0.5
            service.keep_alive()
        pauses.append(clock.now - died)
        service.keep_alive()
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert process.starts == 8
    assert "Server was ended by signal 11. It was tired." in caplog.text


def test_after_a_long_life_the_pause_is_short_again(clock: FakeClock) -> None:
    service, process, _ = make_ready()
    for life in (1, 1, 61):
        clock.now += life
        process.code = 1
        service.keep_alive()
        died = clock.now
        while service.state is not State.READY:
            clock.now += 0.5
            service.keep_alive()
    assert clock.now - died <= 1.5


def test_a_failed_restart_is_tried_again(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service, process, _ = make_ready()
    for _ in range(2):
        process.code = 1
        service.keep_alive()
        clock.now += 5
        service.keep_alive()
    assert service.state is State.STARTING
    service.keep_alive()
    assert service.state is State.READY
    assert "while starting" in caplog.text
    assert "Server is ready again" in caplog.text


def test_a_process_that_can_no_longer_work_is_killed_and_replaced(clock: FakeClock) -> None:
    service, process, probe = make_ready()
    probe.fault = "model processes [7] died"
    service.keep_alive()
    assert process.code == 137
    probe.fault = ""
    service.keep_alive()
    assert service.state is State.WAITING
