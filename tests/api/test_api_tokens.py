"""API tokens: access of programs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import get_resolver
from django.utils.timezone import now
from rest_framework.test import APIClient

from crm.api.base.scopes import NEVER, all_scopes
from crm.db.tenancy import all_tenants
from crm.models import ApiToken, AuditEntry, Contact
from tests.conftest import signed_in
from tests.count_queries import CountQueries
from tests.errors import code_of
from tests.factories import BackgroundTaskFactory, ContactFactory, UserFactory

URL = "/api/v1/api-tokens"
pytestmark = pytest.mark.django_db


def issue(user, *scopes, **more):
    response = signed_in(user).post(URL, {"name": "Website", "scopes": list(scopes), **more})
    assert response.status_code == 201, response.content
    return response.json()


def program(text):
    return APIClient(headers={"Authorization": f"Bearer {text}"})


def row_of(issued):
    with all_tenants():
        return ApiToken.objects.get(pk=issued["id"])


def test_token_is_shown_once_and_stored_as_a_hash(manager, manager_api):
    issued = issue(manager, "contacts:read")
    secret = re.fullmatch(rf"crm_{issued['id']}_([\w-]{{43}})", issued["token"]).group(1)
    assert issued["beginning"] == secret[:4]
    for answer in (manager_api.get(URL), manager_api.get(f"{URL}/{issued['id']}")):
        assert secret not in answer.content.decode()
    with all_tenants():
        entries = str(list(AuditEntry.objects.values_list("changes", flat=True)))
        assert all(secret not in str(value) for value in vars(row_of(issued)).values())
    assert secret not in entries
    assert row_of(issued).secret_hash not in entries


def test_repeated_creation_with_a_key_makes_another_token(manager_api):
    body, headers = {"name": "Website", "scopes": ["read"]}, {"Idempotency-Key": "one"}
    tokens = [manager_api.post(URL, body, headers=headers).json()["token"] for _ in range(2)]
    assert tokens[0] != tokens[1]


@pytest.mark.parametrize(
    ("scopes", "method", "route", "status"),
    [
        (["contacts:read"], "get", "contacts", 200),
        (["contacts:read"], "get", "contacts/export", 200),
        (["contacts:read"], "post", "contacts", 403),
        (["contacts:read"], "get", "calls", 403),
        (["contact-flags:read"], "get", "contacts", 403),
        (["contacts:write"], "get", "contacts", 403),
        (["contacts:write"], "post", "contacts", 201),
        (["read"], "get", "dashboard/metrics", 200),
        (["read"], "post", "contacts", 403),
        (["write"], "post", "contacts", 201),
        (["write"], "get", "contacts", 403),
        (["read", "write"], "get", "api-tokens", 403),
        (["read", "write"], "post", "api-tokens", 403),
        (["read", "write"], "post", "users", 403),
        (["read", "write"], "post", "events/ticket", 403),
        (["contacts:read"], "get", "me", 200),
        (["contacts:read"], "get", "changes", 403),
        (["changes:read"], "get", "changes", 200),
    ],
)
def test_scope_decides_by_the_first_word_of_the_url(scopes, method, route, status, manager):
    client = program(issue(manager, *scopes)["token"])
    body = {"phone": "+13035550142"} if method == "post" else None
    response = getattr(client, method)(f"/api/v1/{route}", body)
    assert response.status_code == status, getattr(response, "content", "")
    if status == 403:
        assert code_of(response) == "scope_missing"


def test_every_route_has_a_scope_or_is_closed_to_tokens(manager):
    client = program(issue(manager, "read", "write")["token"])
    below = next(part for part in get_resolver().url_patterns if str(part.pattern) == "api/v1/")
    words = {str(entry.pattern).lstrip("^").split("/")[0].rstrip("$") for entry in below.url_patterns}
    outside = {word for word in words if not {f"{word}:read", f"{word}:write"} & {*all_scopes(), *NEVER}}
    for word in outside - {"me", "auth"}:
        for method in ("get", "post"):
            assert getattr(client, method)(f"/api/v1/{word}").status_code in (401, 403, 404, 405)


def test_token_may_do_what_its_role_may(manager, acme):
    ContactFactory(company=acme)
    csr, rep = (program(issue(manager, "read", role=role)["token"]) for role in ("csr", "rep"))
    assert csr.get("/api/v1/contacts").json()["results"]
    assert rep.get("/api/v1/contacts").json()["results"] == []
    assert code_of(csr.get("/api/v1/users")) == "permission_denied"
    assert csr.get("/api/v1/me").json()["role"] == "csr"


def test_token_sees_its_company_alone(manager, globex):
    ContactFactory(company=globex)
    assert program(issue(manager, "read")["token"]).get("/api/v1/contacts").json()["results"] == []


@pytest.mark.parametrize("role", ["csr", "rep"])
def test_only_managers_have_tokens(role, acme):
    api = signed_in(UserFactory(company=acme, role=role))
    assert api.get(URL).status_code == 403
    assert api.post(URL, {"name": "Website", "scopes": ["read"]}).status_code == 403


def test_revoked_token_ends_at_once(manager, manager_api):
    issued = issue(manager, "read")
    client = program(issued["token"])
    assert client.get("/api/v1/contacts").status_code == 200
    revoked = manager_api.post(f"{URL}/{issued['id']}/revoke").json()["revoked_at"]
    assert code_of(client.get("/api/v1/contacts")) == "token_not_valid"
    assert manager_api.post(f"{URL}/{issued['id']}/revoke").json()["revoked_at"] == revoked


def test_token_of_another_company_can_t_be_revoked(manager, outsider_api):
    issued = issue(manager, "read")
    assert outsider_api.post(f"{URL}/{issued['id']}/revoke").status_code == 404
    assert row_of(issued).revoked_at is None


def test_expired_token_is_refused(manager):
    issued = issue(manager, "read", expires_at=(now() + timedelta(days=1)).isoformat())
    assert program(issued["token"]).get("/api/v1/me").status_code == 200
    with all_tenants():
        ApiToken.objects.update(expires_at=now())
    assert code_of(program(issued["token"]).get("/api/v1/me")) == "token_not_valid"


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "csr"}])
def test_token_ends_with_the_manager_who_created_it(change, manager, acme):
    client = program(issue(manager, "read")["token"])
    with all_tenants():
        type(manager).objects.filter(pk=manager.pk).update(**change)
    assert code_of(client.get("/api/v1/me")) == "user_inactive"


@pytest.mark.parametrize("spoil", [lambda t: f"{t[:-5]}AAAAA", lambda t: t[:-1], lambda t: "crm_"])
def test_wrong_text_is_refused(spoil, manager):
    assert code_of(program(spoil(issue(manager, "read")["token"])).get("/api/v1/me")) == "token_not_valid"


def test_secret_of_one_token_doesn_t_open_another(manager):
    one, other = issue(manager, "read"), issue(manager, "write")
    mixed = one["token"].replace(f"crm_{one['id']}_", f"crm_{other['id']}_")
    assert code_of(program(mixed).get("/api/v1/me")) == "token_not_valid"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["contacts:delete"]}, "scopes.0"),
        ({"scopes": ["api-tokens:write"]}, "scopes.0"),
        ({"expires_at": "2026-03-01T00:00:00Z"}, "expires_at"),
        ({"role": "admin"}, "role"),
        ({"secret_hash": "0"}, "secret_hash"),
    ],
)
def test_bad_body_is_refused_by_field(body, field, manager_api):
    response = manager_api.post(URL, {"name": "Website", "scopes": ["read"], **body})
    assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, field)


def test_audit_names_the_user_and_the_token(manager, acme):
    contact = ContactFactory(company=acme)
    client = program(issue(manager, "contacts:write")["token"])
    assert client.patch(f"/api/v1/contacts/{contact.pk}", {"first_name": "Kim"}).status_code == 200
    with all_tenants():
        entry = AuditEntry.objects.filter(table_name="contacts", action="update").latest("pk")
        assert Contact.objects.get(pk=contact.pk).first_name == "Kim"
    assert (entry.actor_id, entry.actor) == (manager.pk, "maria (token Website)")


def test_use_is_recorded_once_a_minute(manager):
    issued = issue(manager, "read")
    client = program(issued["token"])
    client.get("/api/v1/me")
    first = row_of(issued).last_used_at
    with CountQueries() as queries:
        client.get("/api/v1/me")
    assert row_of(issued).last_used_at == first
    assert not [query for query in queries.captured_queries if 'UPDATE "api_tokens"' in query["sql"]]
    with all_tenants():
        ApiToken.objects.update(last_used_at=datetime(2026, 3, 1, tzinfo=UTC))
    client.get("/api/v1/me")
    assert row_of(issued).last_used_at >= first


def test_requests_of_a_token_are_limited_apart_from_those_of_its_creator(manager, settings):
    settings.THROTTLE_USER_PER_MIN = 2
    client = program(issue(manager, "read")["token"])
    statuses = [client.get("/api/v1/me").status_code for _ in range(5)]  # in one or two minutes
    assert 429 in statuses
    assert signed_in(manager).get("/api/v1/me").status_code == 200


def test_token_reads_no_background_task_that_its_creator_asked_for_in_another_role(manager):
    own = BackgroundTaskFactory(company=manager.company, requested_by=manager, parameters={"role": "csr"})
    BackgroundTaskFactory(company=manager.company, requested_by=manager)
    BackgroundTaskFactory(company=manager.company, requested_by=manager, parameters={"role": "rep"})
    api = program(issue(manager, "background-tasks:read", role="csr")["token"])
    assert [row["id"] for row in api.get("/api/v1/background-tasks").json()["results"]] == [own.pk]


def test_long_names_of_creator_and_token_are_cut_in_the_audit(acme):
    creator = UserFactory(company=acme, role="manager", username="c" * 150)
    api = program(issue(creator, "write", name="t" * 50)["token"])
    assert api.post("/api/v1/contacts", {"phone": "+12125550171"}).status_code == 201
    with all_tenants():
        assert AuditEntry.objects.get(table_name="contacts").actor.startswith("c" * 150 + " (token t")
