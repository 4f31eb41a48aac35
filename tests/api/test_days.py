"""The day of each role in docs/examples, run as a newcomer runs it: a server, a worker and demo data."""

import os
import subprocess
import sys
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings as project

from ops.demo.seeding import seed_demo
from tests.messaging.test_workers import start_worker

EXAMPLES = Path(project.BASE_DIR, "docs", "examples")
LOOPBACK = "127.0.0.0/8"  # where the manager's day receives outgoing webhooks


@pytest.fixture
def mail_folder(tmp_path):
    return tmp_path / "mail"


@pytest.fixture
def product(transactional_db, settings, live_server, mail_folder):
    settings.PUBLIC_URL = live_server.url
    settings.OUTGOING_WEBHOOK_NETWORKS = [LOOPBACK]
    seed_demo(companies=1, contacts=50, calls=200, days=90, seed=1, until=date.today())
    worker = start_worker(
        WORKER_LEASE_S="30",
        LOG_LEVEL="ERROR",
        OUTGOING_WEBHOOK_NETWORKS=LOOPBACK,
        EMAIL_URL=f"filemail:///{mail_folder}",
    )
    yield live_server.url
    worker.kill()
    worker.communicate()


def run_day(role, url, **settings):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / f"{role}_day.py")],
        # The transactions of tests in other processes hold changes back for a while.
        env=os.environ | {"BASE": url, "PATIENCE_S": "300"} | settings, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("role", ["csr", "rep", "manager"])
def test_day_ends_with_every_job_done(role, product, mail_folder):
    day = run_day(role, product, MAIL_FOLDER=str(mail_folder))
    assert (day.returncode, day.stderr) == (0, ""), day.stdout + day.stderr
    assert day.stdout.splitlines()[-1] == f"Every job of the {role} is done."


def test_day_that_goes_wrong_names_the_step_and_both_statuses():
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:  # it has no method: 501
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        day = run_day("csr", f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert day.returncode == 1
    assert "The step sign_in has failed." in day.stderr
    assert "POST auth/token: expected 200 or 201 or 202 or 204, got 501" in day.stderr
