"""The histogram of requests in `/metrics`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from prometheus_client.parser import text_string_to_metric_families

from tests.config.test_web_worker import make_environment, running
from tests.conftest import signed_in
from tests.db.scratch import wait_until

TOKEN = "one-that-only-prometheus-knows"


def counts_of(text, sample_name="crm_request_duration_seconds_count"):
    return {
        (sample.labels["route"], sample.labels["method"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == sample_name
    }


@pytest.fixture
def count(client, db, settings):
    """Return a function that scrapes the number of requests by route, method and class of status."""
    settings.METRICS_TOKEN = TOKEN
    return lambda: counts_of(client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode())


def test_requests_are_counted_by_route_method_and_status(count, client, manager):
    before = count()
    signed_in(manager).get("/api/v1/contacts?search=Zelda")
    signed_in(manager).get("/api/v1/contacts/123")
    client.get("/api/v1/contacts/456")
    client.generic("BREW", "/nowhere")
    after = count()
    added = {key: number - before.get(key, 0) for key, number in after.items() if number != before.get(key, 0)}
    assert added == {
        ("api/v1/contacts", "GET", "2xx"): 1,
        ("api/v1/contacts/<pk>", "GET", "4xx"): 2,
        ("other", "other", "4xx"): 1,
    }


def test_requests_of_programs_are_not_counted(count, client):
    before = count()
    client.get("/healthz")
    client.get("/readyz")
    assert count() == before


def children_of(process):
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Linux lists the processes of the server")
def test_requests_of_all_processes_are_counted_also_of_ended_ones(tmp_path, monkeypatch):
    environment = make_environment(tmp_path)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=django_settings.BASE_DIR, env=environment, check=True
    )
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    sent = 0

    def files():
        return {path.name for path in tmp_path.glob("crm-metrics-*/histogram_*.db")}

    def send():
        nonlocal sent
        sent += 1
        assert server.status(server.get("/nowhere")) == 404
        return len(files()) == 2

    def scraped():
        answer = server.get("/metrics", f"Authorization: Bearer {TOKEN}")
        return counts_of(answer.partition(b"\r\n\r\n")[2].decode())["other", "GET", "4xx"]

    with running(tmp_path, 3600, "--workers", "2") as server:
        wait_until(send)  # both processes have answered
        assert [scraped() for _ in range(5)] == [sent] * 5
        for pid in children_of(server.process):
            os.kill(pid, signal.SIGKILL)
        for _ in range(10):
            send()
        assert [scraped() for _ in range(5)] == [sent] * 5
        assert files() == {"histogram_0.db", "histogram_1.db"}
        server.process.send_signal(signal.SIGTERM)
        server.process.wait()
    assert not list(tmp_path.glob("crm-metrics-*"))
