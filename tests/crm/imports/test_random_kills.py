"""Processes that are killed at random moments of a long import and of its undo: nothing is lost, nothing done twice.

`IMPORT_ROWS=100000 IMPORT_KILLS=40 pytest -s` prints the figures of a long run.
"""

import os
import random
import signal
import time

import pytest
from django.db import connection

from benchmarks.imports import MAPPING
from benchmarks.messy_contacts import write_messy_contacts
from crm.db.tenancy import all_tenants, tenant
from crm.models import BackgroundTask, Contact, ContactListEntry, ContactPhone, ImportRow
from crm.services.background_tasks.jobs import run_task
from crm.services.imports import steps
from crm.services.imports import undo as undoing
from crm.services.imports.requests import Options, begin_import, open_upload
from crm.services.imports.undo import begin_undo

ROWS, KILLS = int(os.environ.get("IMPORT_ROWS", "20000")), int(os.environ.get("IMPORT_KILLS", "4"))
LEASE = 2_000

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def run_with_kills(task, chance):
    """Do a task in processes of which the first ones are killed, each after some steps of its own."""
    for kill in range(KILLS + 1):
        connection.close()
        child = os.fork()
        if child == 0:
            try:
                run_task(task=task)
            finally:
                os._exit(0)
        if kill < KILLS:
            time.sleep(chance.uniform(0.05, 1.2))
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with all_tenants():
            BackgroundTask.objects.filter(pk=task.pk).update(lease_until=None)
    with all_tenants():
        task.refresh_from_db()
    assert task.state == "done"


def test_a_long_import_and_its_undo_add_up_however_often_they_are_killed(acme, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "LEASE_ROWS", LEASE)
    monkeypatch.setattr(undoing, "LEASE_CONTACTS", LEASE)
    seed = random.randrange(10**6)  # noqa: S311
    print(f"seed {seed}")  # shown if it fails
    chance = random.Random(seed)  # noqa: S311
    path = tmp_path / "list.csv"
    made = write_messy_contacts(path, rows=ROWS, seed=seed)
    with tenant(acme.pk):
        upload = open_upload(path=path, name=path.name)
        source = begin_import(
            company=acme, upload=upload, user=None, mapping=MAPPING, preset="", options=Options(), dry_run=False
        )
    run_with_kills(source.task, chance)
    with all_tenants():
        source.refresh_from_db()
        assert (source.state, source.file_rows, source.rows) == ("done", ROWS, ROWS)
        assert (source.created, source.rejected) == (made["distinct numbers"], made["rejected"])
        assert source.merged_in_file == ROWS - source.created - source.rejected
        assert ImportRow.objects.values("n").distinct().count() == ROWS
        assert [model.objects.count() for model in (Contact, ContactPhone, ContactListEntry)] == [source.created] * 3
        print(f"{KILLS} processes killed; import: {source.counts}")
    with tenant(acme.pk):
        source = begin_undo(source=source, user=None)
    run_with_kills(source.task, chance)
    with all_tenants():
        source.refresh_from_db()
        assert (source.state, source.reversed) == ("undone", made["distinct numbers"])
        assert not any(model.objects.exists() for model in (Contact, ContactPhone, ContactListEntry))
        print(f"{KILLS} processes killed; undo: {source.reversed:,} reversed")
