"""Rows out of a rep's or a company's reach: no request shows anything of them."""

import re

import pytest
from django.db import connection
from django.urls import resolve

from crm.db.tenancy import all_tenants
from crm.models import Contact
from tests import factories
from tests.api.feed import FEEDS, SEEN_COLUMN, Client, execute
from tests.api.response_schema import document
from tests.conftest import signed_in
from tests.errors import codes_of
from tests.fuzz.fixture import (
    FOREIGN_IDS,
    FOREIGN_TEXTS,
    MARKER,
    foreign_ids_in,
    ids_of,
    make_foreign_rows,
    tenant_models,
)

pytestmark = pytest.mark.django_db
# What every role sees of its company.
OF_COMPANY = {
    "/api/v1/colleagues", "/api/v1/colleagues/export", "/api/v1/phone-lines", "/api/v1/phone-lines/export",
    "/api/v1/phone-lines/{id}", "/api/v1/snippets", "/api/v1/snippets/export", "/api/v1/snippets/{id}",
}  # fmt: skip
CHOICES = {"status", "direction", "state", "flag_type", "activity_type", "provider", "role", "recovered_by"}
WORDS = {"search": MARKER, "number": "%2B19895550100"}
# By the name of a field or filter, the model of the rows that it refers to.
REFERENCES = {
    "contact": "contact", "call": "call", "lead": "lead", "campaign": "campaign", "conversation": "conversation",
    "phone_line": "phoneline", "user": "user", "assigned_rep": "user", "assignee": "user", "rep": "user",
}  # fmt: skip


@pytest.fixture
def hidden(acme):
    """Rows of everything about a contact that belongs to another rep of the company."""
    make_foreign_rows(acme)


@pytest.fixture
def own(acme, rep):
    """Rows of everything about a contact of the rep."""
    contact = factories.ContactFactory(company=acme)
    conversation = factories.ConversationFactory(contact=contact)
    factories.ContactFlagFactory(contact=contact)
    factories.LeadFactory(contact=contact)
    factories.ActivityFactory(contact=contact, conversation=conversation, user=rep)
    factories.MessageFactory(contact=contact, activity__conversation=conversation)
    call = factories.CallFactory(contact=contact, assigned_rep=rep)
    factories.CallAnalysisFactory(call=call)
    factories.AppointmentFactory(contact=contact, call=call, assigned_rep=rep)
    return contact


@pytest.fixture
def shared(own, acme):
    """Rows of another rep about the rep's contact. The rep sees the contact, but not these."""
    other = factories.UserFactory(company=acme, role="rep", last_name="Colleague")
    about = {"contact": own, "direction": "incoming", "body": MARKER}
    activity = factories.ActivityFactory(**about, activity_type="call", openphone_id="ACother")
    values = {"assigned_rep": other, "status": "lost", "reason_for_lost_sale": MARKER, "voicemail_url": MARKER}
    call = factories.CallFactory(contact=own, activity=activity, **values)
    membership = {"campaign__company": acme, "campaign__name": MARKER, "reason": MARKER}
    return [
        activity,
        call,
        factories.ActivityFactory(**about, activity_type="voicemail", openphone_id="ACother:voicemail"),
        factories.CallDetailFactory(call=call, summary=MARKER, voicemail_transcript=MARKER),
        factories.CallAnalysisFactory(call=call, summary=MARKER),
        factories.AppointmentFactory(contact=own, call=call, assigned_rep=other, notes=MARKER),
        factories.CampaignMembershipFactory(contact=own, **membership),
        factories.InvoiceFactory(contact=own, number=f"{MARKER}-2"),
        factories.MissedCallerFactory(contact=own, text_back_reason=MARKER),
        factories.TaskFactory(contact=own, call=call, assignee=other, title=MARKER),
        factories.TimeOffFactory(company=acme, rep=other, reason=MARKER),
        factories.AttachmentFactory(contact=None, company=acme, call=call, kind="recording", error=MARKER),
    ]


def choices_of(schema):
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema["enum"]


def models_of_foreign_ids():
    """Return the name of the model of each foreign ID: it is the ID of one row only."""
    with all_tenants():
        return {
            pk: model._meta.model_name
            for model in tenant_models()
            for pk in model._base_manager.filter(pk__in=FOREIGN_IDS).values_list("pk", flat=True)
        }


def ids_for(path, ids, models):
    """Return those of the IDs that a path may mean: of its view's model, or of a contact. Another's is just unknown."""
    view = resolve(re.sub(r"{\w+}", "1", path)).func
    model = getattr(getattr(view, "cls", None), "model", None)
    meant = {Contact._meta.model_name, model._meta.model_name} if model else set(models.values())
    return [pk for pk in ids if pk not in FOREIGN_IDS or models.get(pk) in meant]


def requests(ids):
    """Yield the URL of every GET with its path parameters, and with each of its filters, for these ids."""
    models = models_of_foreign_ids()
    for path, methods in document()["paths"].items():
        if "get" not in methods or not path.startswith("/api/v1/"):
            continue
        parameters = [each for each in methods["get"].get("parameters", ()) if each["in"] == "query"]
        queries = [""]
        for each in parameters:
            name, schema = each["name"], each["schema"]
            if name in WORDS:
                queries.append(f"{name}={WORDS[name]}")
            elif name == "ids":
                queries.append(f"ids={','.join(map(str, ids))}")
            elif name in REFERENCES:
                queries.append("&".join(f"{name}={row_id}" for row_id in ids))
            elif name == "order":
                queries += [f"order={order}" for order in schema["enum"]]
            elif name in CHOICES:
                queries.append("&".join(f"{name}={choice}" for choice in choices_of(schema["items"])))
            elif name == "count":
                queries.append("count=1")
        meant = ids_for(path, ids, models) if "{" in path else [0]
        for row_id in meant:
            url = re.sub(r"{\w+}", str(row_id), path, count=1)
            for second in meant if "{" in url else [0]:
                yield path, re.sub(r"{\w+}", str(second), url), queries


def traces_in(response):
    """Return what an answer shows of the hidden rows. The URLs of other pages repeat what was asked for."""
    if not response["Content-Type"].startswith("application/json"):  # a file
        content = b"".join(response.streaming_content) if response.streaming else response.content
        return [text for text in FOREIGN_TEXTS if text in content.decode()]
    body = response.json()
    shown = {name: value for name, value in body.items() if name not in ("next", "previous")}
    return [text for text in FOREIGN_TEXTS if text in str(shown)] + sorted(foreign_ids_in(shown))


def traces(api, ids):
    found = {}
    for path, url, queries in requests(ids):
        if path in OF_COMPANY:
            continue
        for query in queries if path == url else queries[:1]:
            response = api.get(f"{url}?{query}" if query else url)
            assert response.status_code < 500
            if response.status_code == 200 and (shown := traces_in(response)):
                found[f"{url}?{query}"] = shown
    return found


@pytest.mark.slow
def test_no_request_shows_a_rep_another_reps_rows(rep_api, own, hidden):
    assert traces(rep_api, [*FOREIGN_IDS]) == {}


@pytest.mark.slow
def test_own_contact_shows_a_rep_nothing_of_another_reps_calls(rep_api, own, shared):
    assert traces(rep_api, [own.pk, *(row.pk for row in shared)]) == {}


@pytest.mark.slow
def test_the_rows_of_another_rep_would_be_found(manager_api, own, hidden, shared):
    """The manager sees them: so the tests above look for the right texts, and ask for the right rows."""
    found = traces(manager_api, [*FOREIGN_IDS, own.pk, *(row.pk for row in shared)])
    assert {url.split("?")[0].split("/")[3] for url in found} >= {
        "activities", "appointments", "call-analyses", "calls", "campaign-memberships", "campaigns", "contact-flags",
        "contacts", "conversations", "dashboard", "invoices", "leads", "message-threads", "missed-calls",
        "tasks", "time-off",
    }  # fmt: skip


@pytest.mark.slow
def test_refused_writes_show_a_rep_nothing_of_another_reps_rows(rep_api, own, hidden, acme):
    before = ids_of(acme)
    lists = {url.rpartition("/{")[0]: url for url, methods in document()["paths"].items() if "patch" in methods}
    models, found = models_of_foreign_ids(), {}
    for route, url in sorted(lists.items()):
        fields = document()["paths"][url]["patch"]["requestBody"]["content"]["application/json"]["schema"]
        names = document()["components"]["schemas"][fields["$ref"].rpartition("/")[2]]["properties"]
        mine = rep_api.get(route)
        rows = mine.json().get("results", [])[:1] if mine.status_code == 200 else []
        bodies = [
            {name: pk}
            for name in sorted(names.keys() & REFERENCES.keys())
            for pk in models
            if models[pk] == REFERENCES[name]
        ]
        asked = [(row["id"], body, {}) for row in rows for body in bodies]
        asked += [
            (row_id, {}, headers)
            for row_id in ids_for(url, FOREIGN_IDS, models)
            for headers in ({}, {"If-Match": '"old"'})
        ]
        for target, body, headers in asked:
            answer = rep_api.patch(re.sub(r"{\w+}", str(target), url), body, headers=headers)
            if shown := traces_in(answer):
                found[f"PATCH {url} {target} {body}"] = shown
        for body in bodies:
            if shown := traces_in(rep_api.post(route, body)):
                found[f"POST {route} {body}"] = shown
    assert found == {}
    assert ids_of(acme) == before


@pytest.mark.django_db(
    transaction=True, reset_sequences=True
)  # on SQLite, the ids of own rows would follow the hidden ones
@pytest.mark.parametrize("table", sorted(set(FEEDS) - {"companies", "phone_lines", "snippets", "users"}))
def test_change_of_another_reps_row_is_told_to_nobody_who_does_not_see_it(table, rep, outsider, own, hidden):
    model = FEEDS[table][0]
    with all_tenants():
        rows = list(model._base_manager.filter(pk__in=FOREIGN_IDS).values_list("pk", flat=True))
    clients = Client(rep), Client(outsider)
    column, value = SEEN_COLUMN[table]
    for pk in rows:
        execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, pk)
    if table not in ("appointments", "contacts", "calls", "activities", "leads", "campaigns", "conversations"):
        for pk in rows:
            execute(f"DELETE FROM {table} WHERE id = %s", pk)
    assert [client.poll() for client in clients] == [[], []]


@pytest.mark.django_db(transaction=True)
def test_change_of_another_reps_rows_about_the_same_contact_is_not_told(rep, shared):
    client = Client(rep)
    for row in shared:
        column, value = SEEN_COLUMN[row._meta.db_table]
        execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", value, row.pk)
    assert client.poll() == []


def test_stored_answer_of_another_user_is_not_replayed(rep, csr, own):
    body, headers = {"contact": own.pk, "body": "Has a dog."}, {"Idempotency-Key": "same"}
    first, second = (signed_in(user).post("/api/v1/activities", body, headers=headers) for user in (rep, csr))
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] != second.json()["id"]
    assert "Idempotency-Replayed" not in second


def test_stored_answer_is_not_replayed_once_its_contact_has_left_the_reps_reach(rep, rep_api, own, acme):
    body, headers = {"contact": own.pk, "body": "Has a dog."}, {"Idempotency-Key": "same"}
    assert rep_api.post("/api/v1/activities", body, headers=headers).status_code == 201
    assert rep_api.post("/api/v1/activities", body, headers=headers)["Idempotency-Replayed"] == "true"
    with connection.cursor() as cursor:
        for table in ("calls", "appointments"):
            cursor.execute(f"UPDATE {table} SET assigned_rep_id = NULL")
    refused = rep_api.post("/api/v1/activities", body, headers=headers)
    assert codes_of(refused) == {"contact": ["does_not_exist"]}
