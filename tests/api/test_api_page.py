"""The commands of docs/api.md and the day in TypeScript, run as a newcomer runs them, against demo data."""

import os
import re
import subprocess
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection  # noqa: F401  # for the mark

from ops.demo.seeding import seed_demo

PAGE = Path(settings.BASE_DIR, "docs", "api.md").read_text()
EXAMPLES = Path(settings.BASE_DIR, "docs", "examples")


# On a server that tests share, the transactions of other tests hold changes back for a while.
pytestmark = [pytest.mark.slow, pytest.mark.skipif("connection.vendor == 'postgresql'", reason="SQLite only")]


@pytest.fixture
def product(transactional_db, live_server):
    seed_demo(companies=1, contacts=50, calls=200, days=90, seed=1, until=date.today())
    return live_server.url


def test_commands_of_the_page_run_in_order(product):
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],  # noqa: S607  # from PATH, as a person types
        env=os.environ | {"BASE": product}, capture_output=True, text=True,
    )  # fmt: skip
    assert shell.returncode == 0, shell.stdout + shell.stderr
    refused = set(re.findall(r'"code":"(\w+)"', shell.stdout)) - {"quiet_hours", "opted_out", "under_review"}
    assert refused == {"stale", "unknown_field"}  # those that the page shows
    assert '"change":"updated"' in shell.stdout
    assert "Poll-After" in shell.stdout


@pytest.mark.skipif(not (EXAMPLES / "schema.d.ts").exists(), reason="npm is missing, or `make check` has not run.")
def test_day_in_typescript_runs_to_its_end(product):
    day = subprocess.run(
        ["npm", "run", "--silent", "day"],  # noqa: S607  # from PATH, as a person types
        cwd=EXAMPLES, env=os.environ | {"BASE": product}, capture_output=True, text=True,
    )  # fmt: skip
    assert day.returncode == 0, day.stdout + day.stderr
    assert "412 stale" in day.stdout
    assert "1 appointments read again" in day.stdout
    assert day.stdout.splitlines()[-1] == "  204; the token now gets 401 session_ended"
