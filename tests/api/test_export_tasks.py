"""Long XLSX exports, which a background task makes."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from rest_framework.test import APIClient

from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry, BackgroundTask, StoredFile, User
from crm.services.api_tokens import create_api_token
from crm.services.background_tasks.jobs import do_next_step
from tests import factories
from tests.api.test_exports import kim, rows_of, sheet_of  # noqa: F401  # a fixture
from tests.crm.background_tasks.test_runs import expire_leases, work_off
from tests.errors import code_of, errors_of
from tests.ops.archive.test_kills import kill_at

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/contacts/export?format=xlsx"


@pytest.fixture(autouse=True)
def short_requests(monkeypatch):
    """Let sheets of more than one row be long, and pages have two."""
    monkeypatch.setattr("crm.api.base.exports.XLSX_ROWS_AT_ONCE", 1)
    monkeypatch.setattr("crm.api.base.exports.PAGE", 2)


@pytest.fixture
def contacts(acme):
    return factories.ContactFactory.create_batch(5, company=acme)


def task_of(response):
    assert response.status_code == 202, response.content
    return response.json()["id"]


def read(api, task):
    return api.get(f"/api/v1/background-tasks/{task}").json()


def file_rows(api, task):
    response = api.get(f"/api/v1/background-tasks/{task}/file")
    [sheet] = load_workbook(io.BytesIO(b"".join(response.streaming_content))).worksheets
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_a_long_sheet_is_made_by_a_task_with_the_rows_of_the_list(manager_api, contacts, kim):  # noqa: F811
    response = manager_api.get(URL)
    task = task_of(response)
    assert response["Location"].endswith(f"/api/v1/background-tasks/{task}")
    assert (response.json()["kind"], response.json()["state"]) == ("export", "queued")
    work_off()
    row = read(manager_api, task)
    assert (row["state"], row["done"], row["total"]) == ("done", 6, 6)
    rows = file_rows(manager_api, task)
    listed = manager_api.get("/api/v1/contacts").json()["results"]
    assert [int(each["ID"]) for each in rows] == [each["id"] for each in listed]
    [csv_row] = [each for each in rows_of(manager_api.get("/api/v1/contacts/export")) if each["First name"] == "Kim"]
    [sheet_row] = [each for each in rows if each["First name"] == "Kim"]
    assert {name: text or "" for name, text in sheet_row.items()} == csv_row | {"A text": "-#1"}


def test_the_file_has_the_filters_and_the_order_of_the_request(manager_api, contacts, acme):
    tagged = contacts[1:4]
    tag = factories.TagFactory(company=acme, name="VIP")
    for contact in tagged:
        factories.ContactTagFactory(contact=contact, tag=tag)
    task = task_of(manager_api.get(f"{URL}&tag=vip&order=oldest"))
    work_off()
    assert [int(row["ID"]) for row in file_rows(manager_api, task)] == [contact.pk for contact in tagged]
    assert manager_api.get(f"{URL}&colour=red").status_code == 400


def test_export_of_an_api_token_has_the_rows_of_the_token_s_role(manager, acme, contacts):
    for contact in contacts[:3]:
        factories.CallFactory(contact=contact, assigned_rep=manager)  # who was a rep
    with tenant(acme.pk):
        _, text = create_api_token(user=manager, name="Website", role="rep", scopes=["read"], expires_at=None)
    api = APIClient(headers={"Authorization": f"Bearer {text}"})
    task = task_of(api.get(URL))
    work_off()
    assert {int(row["ID"]) for row in file_rows(api, task)} == {contact.pk for contact in contacts[:3]}


def test_a_rep_gets_the_own_rows_and_the_own_tasks_alone(manager_api, csr_api, rep, rep_api, contacts):
    own = contacts[:3]
    for contact in own:
        factories.CallFactory(contact=contact, assigned_rep=rep)
    task, other = task_of(rep_api.get(URL)), task_of(manager_api.get(URL))
    work_off()
    assert {int(row["ID"]) for row in file_rows(rep_api, task)} == {contact.pk for contact in own}
    assert (len(file_rows(manager_api, task)), len(file_rows(manager_api, other))) == (3, 5)
    assert [row["id"] for row in rep_api.get("/api/v1/background-tasks").json()["results"]] == [task]
    for path in (f"{other}", f"{other}/file"):
        assert rep_api.get(f"/api/v1/background-tasks/{path}").status_code == 404
        assert csr_api.get(f"/api/v1/background-tasks/{path}").status_code == 404
    assert rep_api.post(f"/api/v1/background-tasks/{other}/cancel").status_code == 404


def test_the_rows_are_those_that_the_user_may_see_when_the_task_runs(manager, manager_api, rep, rep_api, contacts):
    for contact in contacts[:3]:
        factories.CallFactory(contact=contact, assigned_rep=rep)
    task = task_of(rep_api.get(URL))
    with all_tenants():
        Call.objects.filter(contact=contacts[0]).update(assigned_rep=None)
    work_off()
    assert {int(row["ID"]) for row in file_rows(manager_api, task)} == {contact.pk for contact in contacts[1:3]}


def test_the_task_of_a_deactivated_user_fails_plainly(manager, manager_api, contacts):
    task = task_of(manager_api.get(URL))
    do_next_step()
    do_next_step()
    with all_tenants():
        User.objects.filter(pk=manager.pk).update(is_active=False)
    work_off()
    with all_tenants():
        ended = BackgroundTask.objects.get(pk=task)
        assert (ended.state, ended.error_code, ended.result_file) == ("failed", "user_inactive", None)
        assert not StoredFile.objects.exists()


def test_a_list_that_the_role_lost_meanwhile_fails_the_task(manager, manager_api, acme):
    factories.UserFactory.create_batch(3, company=acme)
    task = task_of(manager_api.get("/api/v1/users/export?format=xlsx"))
    with all_tenants():
        User.objects.filter(pk=manager.pk).update(role="csr")
    work_off()
    with all_tenants():
        assert BackgroundTask.objects.get(pk=task).error_code == "permission_denied"


def test_the_same_request_answers_the_running_task_and_another_one_its_own(manager_api, csr_api, contacts):
    task = task_of(manager_api.get(URL))
    assert task_of(manager_api.get(URL)) == task
    assert len({task, task_of(manager_api.get(f"{URL}&order=oldest")), task_of(csr_api.get(URL))}) == 3
    work_off()
    assert task_of(manager_api.get(URL)) != task


def test_a_cancelled_export_leaves_no_file(manager_api, contacts):
    task = task_of(manager_api.get(URL))
    do_next_step()
    do_next_step()
    assert manager_api.post(f"/api/v1/background-tasks/{task}/cancel").status_code == 200
    work_off()
    assert read(manager_api, task)["state"] == "cancelled"
    assert manager_api.get(f"/api/v1/background-tasks/{task}/file").status_code == 404


def test_a_killed_worker_leaves_an_export_that_the_next_one_makes_anew(manager_api, contacts):
    from crm.api.base import export_tasks

    task = task_of(manager_api.get(URL))
    kill_at(export_tasks, "store_file", 1, work_off)
    assert read(manager_api, task)["state"] == "running"
    expire_leases()
    work_off()
    row = read(manager_api, task)
    assert (row["state"], row["done"], row["total"]) == ("done", 5, 5)
    assert len(file_rows(manager_api, task)) == 5


def test_an_export_is_audited_at_its_begin_and_at_its_end(manager_api, contacts):
    task_of(manager_api.get(f"{URL}&search=Casey"))
    work_off()
    with all_tenants():
        entries = AuditEntry.objects.filter(action="export").order_by("id")
        found = [(each.actor, each.table_name, each.changes) for each in entries]
    facts = {"format": [None, "xlsx"], "filters": [None, {"search": ["Casey"]}]}
    assert found == [("maria", "contacts", facts), ("maria", "contacts", facts | {"rows": [None, 5]})]


def test_the_file_is_kept_for_a_week(manager_api, contacts):
    task = task_of(manager_api.get(URL))
    work_off()
    with all_tenants():
        file = StoredFile.objects.get(pk=read(manager_api, task)["result_file"])
    assert (file.name, round((file.expires_at - file.created_at) / timedelta(days=1))) == ("contacts.xlsx", 7)


def test_a_short_sheet_and_a_csv_file_are_answered_at_once(manager_api, contacts):
    assert len(sheet_of(manager_api.get(f"{URL}&ids={contacts[0].pk}"))) == 2
    assert len(rows_of(manager_api.get("/api/v1/contacts/export"))) == 5


def test_a_list_that_is_too_long_for_a_sheet_is_refused(manager_api, contacts, monkeypatch):
    monkeypatch.setattr("crm.api.base.exports.MAX_XLSX_ROWS", 4)
    assert "format=csv" in errors_of(manager_api.get(URL))["format"][0]


def test_lists_of_a_contact_are_exported_by_tasks_too(manager_api, contacts):
    factories.MessageFactory.create_batch(3, contact=contacts[0])
    task = task_of(manager_api.get(f"/api/v1/message-threads/{contacts[0].pk}/export?format=xlsx"))
    work_off()
    assert len(file_rows(manager_api, task)) == 3


def test_a_task_of_another_company_stays_its_own(manager_api, outsider_api, contacts, globex):
    factories.ContactFactory.create_batch(2, company=globex)
    task = task_of(outsider_api.get(URL))
    work_off()
    assert len(file_rows(outsider_api, task)) == 2
    assert code_of(manager_api.get(f"/api/v1/background-tasks/{task}")) == "not_found"


def test_a_user_has_three_exports_under_way_at_most(manager_api, csr_api, contacts):
    first, *others, fourth = [f"{URL}&start_date=2020-01-0{day}" for day in range(1, 5)]
    task = task_of(manager_api.get(first))
    for url in others:
        task_of(manager_api.get(url))
    refused = manager_api.get(fourth)
    assert (refused.status_code, code_of(refused)) == (409, "too_many_exports")
    assert task_of(manager_api.get(first)) == task
    task_of(csr_api.get(fourth))
    assert manager_api.post(f"/api/v1/background-tasks/{task}/cancel").status_code == 200
    task_of(manager_api.get(fourth))
