"""The commands of docs/api.md, run as a newcomer runs them, against demo data."""

import os
import re
import subprocess
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from ops.demo.seeding import seed_demo

PAGE = Path(settings.BASE_DIR, "docs", "api.md").read_text()


@pytest.fixture
def product(transactional_db, live_server):
    seed_demo(companies=1, contacts=50, calls=200, days=90, seed=1, until=date.today())
    return live_server.url


@pytest.mark.slow
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
