"""Runs of background tasks: steps, cancelling, failures and killed workers."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from crm.db.advisory_locks import _key_of
from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry, BackgroundTask, Contact
from crm.services.background_tasks.jobs import claim_task, do_next_step, has_pending_tasks, is_task_due, run_task
from crm.services.background_tasks.requests import TaskHasEnded, begin_task, cancel_task
from crm.services.background_tasks.runs import Run
from tests.conftest import postgres_only
from tests.crm.background_tasks import kinds
from tests.db.scratch import another_session
from tests.ops.archive.test_kills import kill_at

pytestmark = pytest.mark.django_db(transaction=True)


def begin(company, user=None):
    with tenant(company.pk):
        return begin_task(company_id=company.pk, kind="write-contacts", user=user)


def read(task):
    with all_tenants():
        task.refresh_from_db()
        return task.state, task.done, task.total, Contact.objects.count()


def work_off():
    while do_next_step():
        pass


def expire_leases():
    with all_tenants():
        BackgroundTask.objects.filter(state="running").update(lease_until=now() - timedelta(seconds=1))


def test_a_queued_task_is_done_step_by_step_for_the_user_who_asked_for_it(acme, manager):
    task = begin(acme, manager)
    assert (is_task_due(), has_pending_tasks()) == (True, True)
    work_off()
    assert read(task) == ("done", 4, 4, 4)
    assert (is_task_due(), has_pending_tasks()) == (False, False)
    with all_tenants():
        assert set(AuditEntry.objects.filter(table_name="contacts").values_list("actor", flat=True)) == {"maria"}


def test_a_short_task_does_not_wait_for_the_end_of_a_long_one(acme, globex):
    first, second = begin(acme), begin(globex)
    for _ in range(5):
        do_next_step()
    assert (read(first)[1], read(second)[1]) == (2, 1)
    work_off()
    assert (read(first)[0], read(second)[0]) == ("done", "done")


def test_a_killed_worker_loses_no_step_and_repeats_none(acme):
    task = begin(acme)
    kill_at(kinds, "checkpoint", 3, work_off)
    assert read(task) == ("running", 2, 4, 2)
    assert not is_task_due()
    expire_leases()
    work_off()
    assert read(task) == ("done", 4, 4, 4)


def test_an_internal_error_ends_the_task_with_its_reason(acme, monkeypatch, caplog):
    task = begin(acme)

    def break_down():
        raise ZeroDivisionError

    monkeypatch.setattr(kinds, "checkpoint", break_down)
    kinds.ended.clear()
    work_off()
    assert read(task) == ("failed", 0, 4, 0)
    assert (task.error_code, task.error.startswith("An internal error")) == ("error", True)
    assert kinds.ended == [task]
    assert "ZeroDivisionError" in caplog.text


def test_a_queued_task_is_cancelled_at_once_and_a_running_one_after_its_step(acme):
    queued, running = begin(acme), begin(acme)
    with tenant(acme.pk):
        cancel_task(task=queued)
    assert read(queued)[0] == "cancelled"
    do_next_step()
    do_next_step()
    with tenant(acme.pk):
        assert cancel_task(task=running).state == "running"
    work_off()
    assert read(running) == ("cancelled", 1, 4, 1)
    with tenant(acme.pk), pytest.raises(TaskHasEnded):
        cancel_task(task=running)


def test_a_task_that_another_process_works_on_is_left_to_it(acme):
    task = begin(acme)
    run = Run(claim_task())
    run.advance()
    with all_tenants():
        BackgroundTask.objects.filter(pk=task.pk).update(state="done", ended_at=now(), lease_until=None)
    assert not run.advance()
    assert read(task) == ("done", 0, 4, 0)


@postgres_only
def test_a_step_of_another_process_is_not_done_twice(acme):
    task = begin(acme)
    run = Run(claim_task())
    run.advance()
    with another_session() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [_key_of(("background task", task.pk))])
        assert not run.advance()
    assert read(task) == ("running", 0, 4, 0)


def test_a_command_does_a_whole_task_and_sees_its_progress(acme):
    seen = []
    assert run_task(task=begin(acme), progress=lambda task: seen.append(task.done)).state == "done"
    assert seen == [0, 1, 2, 3, 4, 4]


def test_a_kind_that_this_version_does_not_know_fails(acme):
    task = begin(acme)
    with all_tenants():
        BackgroundTask.objects.filter(pk=task.pk).update(kind="telepathy")
    work_off()
    assert read(task)[0] == "failed"
    assert task.error_code == "unknown_kind"


def test_a_company_sees_its_own_tasks(manager_api, outsider_api, acme):
    task = begin(acme)
    assert [row["id"] for row in manager_api.get("/api/v1/background-tasks").json()["results"]] == [task.pk]
    assert outsider_api.get("/api/v1/background-tasks").json()["results"] == []
    assert outsider_api.post(f"/api/v1/background-tasks/{task.pk}/cancel").status_code == 404
    assert manager_api.post(f"/api/v1/background-tasks/{task.pk}/cancel").json()["state"] == "cancelled"
    refused = manager_api.post(f"/api/v1/background-tasks/{task.pk}/cancel")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "task_ended")


def test_states_without_their_times_are_refused(acme):
    task = begin(acme)
    for values in ({"state": "running"}, {"state": "done"}, {"state": "failed", "ended_at": now()}, {"done": -1},
                   {"total": 1, "done": 2}, {"lease_until": now()}, {"state": "paused"}):  # fmt: skip
        with all_tenants(), pytest.raises(IntegrityError), transaction.atomic():
            BackgroundTask.objects.filter(pk=task.pk).update(**values)
    assert connection.is_usable()
