"""The real Valkey of the wheel under guard: closed to strangers, and it forgets nothing."""

import os
import socket
import stat
import time
from pathlib import Path

import pytest
import redis

from embedded import jobs
from embedded.errors import PortTakenError
from embedded.jobs import job_store, job_workers
from embedded.settings import Settings
from embedded.triton import settings_on_free_ports
from embedded.valkey import find_valkey

needs_valkey = pytest.mark.skipif(find_valkey() is None, reason="the wheel has no Valkey here")


@pytest.fixture
def lock(tmp_path: Path) -> int:
    return os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_on_free_ports(tmp_path / "models", tmp_path / "run time", triton_stop_timeout=5)


@needs_valkey
def test_what_was_written_is_there_after_a_kill_and_a_new_start(
    settings: Settings, lock: int
) -> None:
    store = job_store(settings, lock)
    store.start()
    client = redis.Redis.from_url(str(store.url))
    client.set("job", "queued")
    memory = client.info("memory")
    assert (memory["maxmemory"], memory["maxmemory_policy"]) == (1024 << 20, "noeviction")
    (service,) = store.services
    service.process.kill()
    while service.process.poll() is None:
        time.sleep(0.01)
    store.start()
    assert redis.Redis.from_url(str(store.url)).get("job") == b"queued"
    service.stop()
    again = job_store(settings, lock)
    again.start()
    assert redis.Redis.from_url(str(again.url)).get("job") == b"queued"
    again.services[0].stop()


@needs_valkey
def test_nobody_gets_in_without_the_password(settings: Settings, lock: int) -> None:
    store = job_store(settings, lock)
    store.start()
    try:
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=settings.valkey_port).get("job")
        configuration = settings.runtime_dir / "valkey" / "valkey.conf"
        assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
        assert stat.S_IMODE(configuration.parent.stat().st_mode) == 0o700
        (service,) = store.services
        arguments = Path(f"/proc/{service.process.pid}/cmdline").read_text()
        assert str(store.url).partition("@")[0].rpartition(":")[2] not in arguments
    finally:
        store.services[0].stop()


@needs_valkey
def test_a_taken_port_is_named(settings: Settings, lock: int) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.valkey_port)),
        pytest.raises(PortTakenError, match="VALKEY_PORT"),
    ):
        job_store(settings, lock)


def test_another_store_is_taken_as_it_is(settings: Settings, lock: int) -> None:
    named = Settings.model_validate({**dict(settings), "redis_url": "redis://elsewhere/0"})
    store = job_store(named, lock)
    assert (store.url, store.services) == ("redis://elsewhere/0", [])
    assert len(job_workers(named, lock, store.url)) == 1


def test_without_any_store_there_are_no_workers_and_it_is_said(
    settings: Settings,
    lock: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(jobs, "find_valkey", lambda: None)
    store = job_store(settings, lock)
    assert (store.url, store.services) == (None, [])
    assert job_workers(settings, lock, store.url) == []
    assert "REDIS_URL" in caplog.text
