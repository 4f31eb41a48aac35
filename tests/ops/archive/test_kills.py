"""Processes that are killed at any moment: each row is in the database or in one true file, and nowhere twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db import connection

from crm.db.tenancy import all_tenants
from ops.archive.manifest import MODELS
from ops.archive.restore import find_archives, restore_archive
from ops.archive.storage import recover_folder
from tests.ops.archive.fixture import archive, contents, dashboard, make_history

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"

pytestmark = pytest.mark.django_db(transaction=True)


def kill_at_random(act, chance, *, longest_s):
    """Do it in a process of its own and kill that after a while; whether it was killed before it was done."""
    connection.close()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    time.sleep(chance.uniform(0, longest_s))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def places(company, root):
    """In how many places each row is, by table and id: the database, and files that are true."""
    for folder in (path for path in (root / company.slug).glob("*") if path.is_dir()):
        recover_folder(company, folder)
    found = Counter((table, pk) for table, rows in contents().items() for pk in rows)
    for path in root.rglob("*.parquet*"):
        table = path.name.removesuffix(".parquet").partition("-")[2]
        found.update((table, pk) for pk in pq.ParquetFile(path).read(["id"]).column("id").to_pylist())
    return found


def test_killed_archivers_and_restorers_lose_nothing_and_do_nothing_twice(acme, tmp_path):
    make_history(acme, calls=60)
    before, numbers = contents(), dashboard(acme)
    chance = random.Random(7)  # noqa: S311  # no secret
    once = Counter((table, pk) for table, rows in before.items() for pk in rows)
    kills = 0
    while kill_at_random(lambda: archive(acme, tmp_path, batch=5), chance, longest_s=0.2 + kills / 20):
        kills += 1
        assert places(acme, tmp_path) == once
        assert dashboard(acme) == numbers
    assert kills >= 5
    assert places(acme, tmp_path) == once
    assert sum(len(rows) for rows in contents().values()) < len(once) / 4
    assert dashboard(acme) == numbers

    def restore():
        for found in find_archives(tmp_path):
            restore_archive(found)

    kills = 0
    while kill_at_random(restore, chance, longest_s=0.2 + kills / 10):
        kills += 1
        assert dashboard(acme) == numbers
    assert kills >= 5
    assert contents() == before
    assert dashboard(acme) == numbers


def test_a_killed_command_is_finished_by_the_next(acme, tmp_path):
    make_history(acme, calls=60)
    before = contents()
    database = str(connection.settings_dict["NAME"])
    url = (
        f"sqlite:///{database}"
        if connection.vendor == "sqlite"
        else f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{database}"
    )
    command = [sys.executable, str(MANAGE), "archive", "--older-than", "730d", "--to", str(tmp_path), "--batch", "2"]
    archiver = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url}, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.rglob("*.parquet"))) < 8:
        assert time.monotonic() < deadline
        assert archiver.poll() is None
        time.sleep(0.01)
    archiver.kill()
    archiver.wait()
    with all_tenants():
        left = sum(model.objects.count() for model in MODELS.values())
    assert 0 < left < sum(len(rows) for rows in before.values())
    finished = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert "archived" in finished.stdout
    for found in find_archives(tmp_path):
        restore_archive(found)
    assert contents() == before
