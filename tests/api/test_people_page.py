"""The commands of docs/people.md, run as a newcomer runs them, against demo data."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection  # noqa: F401  # for the mark

from crm.db.tenancy import all_tenants
from crm.models import Mail, SecondFactor, User
from ops.demo.seeding import seed_demo

PAGE = Path(settings.BASE_DIR, "docs", "people.md").read_text()
OATHTOOL = f"""
oathtool() {{ {sys.executable} -c 'import sys, time; from crm import totp
print(totp.code_at(sys.argv[1], int(time.time() // totp.STEP_S)))' "$3"; }}
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif("connection.vendor == 'postgresql'", reason="SQLite only")]


def test_commands_of_the_page_run_in_order(transactional_db, live_server):
    seed_demo(companies=1, contacts=50, calls=200, days=90, seed=1, until=date.today())
    before = Mail.objects.count()
    commands = OATHTOOL + "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],  # noqa: S607  # from PATH, as a person types
        cwd=settings.BASE_DIR, env=os.environ | {"BASE": live_server.url}, capture_output=True, text=True,
    )  # fmt: skip
    assert shell.returncode == 0, shell.stdout + shell.stderr
    assert set(re.findall(r'"code":"(\w+)"', shell.stdout)) == {"link_not_valid", "code_required"}
    with all_tenants():
        csr = User.accounts.get(username="csr")
    assert csr.check_password("shingle-99-x")
    assert csr.second_factor_since is None
    assert not SecondFactor.objects.filter(user=csr).exists()
    assert Mail.objects.count() == before + 3
