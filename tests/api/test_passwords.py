"""Own and forgotten passwords, and invitations."""

from datetime import timedelta

import pytest
from django.core import mail, signing
from django.utils.timezone import now
from rest_framework.test import APIClient

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, Mail, User
from crm.services.links import make_token
from crm.services.mails import send_next_mail
from tests import factories
from tests.conftest import signed_in
from tests.errors import code_of, codes_of, errors_of
from tests.factories import PASSWORD

TOKEN, OWN, FORGOTTEN, SET = (
    f"/api/v1/{route}" for route in ("auth/token", "me/password", "auth/password-reset", "auth/set-password")
)
NEW = "shingle-99-x"


@pytest.fixture
def carla(csr):
    csr.email = "Carla@Example.com"
    csr.save()
    return csr


@pytest.fixture
def nina(acme):
    """A user who is invited and has no password yet."""
    return factories.UserFactory(company=acme, username="nina", password="!none", email="nina@example.com")


def sign_in(username, password):
    return APIClient().post(TOKEN, {"username": username, "password": password}).status_code


def mailed_tokens():
    while send_next_mail():
        pass
    return [word.rpartition("/")[2] for each in mail.outbox for word in each.body.split() if "/set-password/" in word]


def set_password(token, password=NEW):
    return APIClient().post(SET, {"token": token, "password": password})


# --- The own password -------------------------------------------------------------------------------------------------


def test_own_password_is_changed_and_other_sessions_end(csr):
    first, other = (
        APIClient().post(TOKEN, {"username": csr.username, "password": PASSWORD}).json()["access"] for _ in range(2)
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {first}")
    answer = client.post(OWN, {"current_password": PASSWORD, "new_password": NEW})
    assert answer.status_code == 200
    for access, status in ((first, 401), (other, 401), (answer.json()["access"], 200)):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        assert client.get("/api/v1/me").status_code == status
    assert (sign_in("carla", PASSWORD), sign_in("carla", NEW)) == (401, 200)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"current_password": "wrong"}, {"current_password": ["wrong_password"]}),
        ({"new_password": "12345"}, {"new_password": ["password_too_short", "password_too_common",
                                                       "password_entirely_numeric"]}),
        ({"new_password": "carla1234"}, {"new_password": ["password_too_similar"]}),
    ],
)  # fmt: skip
def test_password_that_is_wrong_or_weak_changes_nothing(body, named, csr):
    answer = signed_in(csr).post(OWN, {"current_password": PASSWORD, "new_password": NEW} | body)
    assert codes_of(answer) == named
    assert sign_in("carla", PASSWORD) == 200


# --- A forgotten password ---------------------------------------------------------------------------------------------


def test_forgotten_password_is_replaced_by_a_mailed_link(carla):
    assert APIClient().post(FORGOTTEN, {"email": "carla@example.COM"}).status_code == 202
    [token] = mailed_tokens()
    assert mail.outbox[0].to == ["Carla@Example.com"]
    assert set_password(token).status_code == 204
    assert (sign_in("carla", PASSWORD), sign_in("carla", NEW)) == (401, 200)
    with all_tenants():
        entry = AuditEntry.objects.filter(table_name="users", row_id=carla.pk).latest("id")
    assert (entry.actor, entry.changes) == ("carla", {"password": ["(hidden)", "(hidden)"]})


def test_unknown_address_gets_the_same_answer_by_the_same_statements(carla, django_assert_num_queries):
    answers, counts = [], []
    for email in ("carla@example.com", "nobody@example.com"):
        with django_assert_num_queries(2, exact=False) as asked:
            answers.append(APIClient().post(FORGOTTEN, {"email": email}))
        counts.append([query["sql"].split("(")[0] for query in asked.captured_queries])
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].content == answers[1].content == b""
    assert counts[0] == counts[1]
    assert len(mailed_tokens()) == 1
    assert sorted(Mail.objects.values_list("state", flat=True)) == ["sent", "skipped"]


def test_deactivated_user_gets_no_mail_and_an_earlier_link_is_worthless(carla):
    token = make_token(user=carla, kind="password_reset")
    carla.is_active = False
    carla.save()
    APIClient().post(FORGOTTEN, {"email": carla.email})
    assert mailed_tokens() == []
    assert codes_of(set_password(token)) == {"token": ["link_not_valid"]}


def test_users_who_share_an_address_get_a_link_each(carla, globex):
    factories.UserFactory(company=globex, username="carla2", email="carla@example.com")
    APIClient().post(FORGOTTEN, {"email": "carla@example.com"})
    first, second = mailed_tokens()
    assert "carla2" in mail.outbox[1].body
    assert set_password(second).status_code == 204
    assert (sign_in("carla2", PASSWORD), sign_in("carla2", NEW)) == (401, 200)
    assert set_password(first).status_code == 204


@pytest.mark.parametrize(("email", "code"), [("", "blank"), ("carla", "invalid"), ("a\0@b.cc", "unstorable")])
def test_odd_address_is_named(email, code, db):
    assert codes_of(APIClient().post(FORGOTTEN, {"email": email}))["email"][0] == code
    assert not Mail.objects.exists()


def test_requests_of_an_address_are_limited(settings, carla):
    settings.THROTTLE_SIGN_IN_PER_MIN = 2  # of five requests in one or two minutes, one is refused
    statuses = [APIClient().post(FORGOTTEN, {"email": f"{n}{carla.email}"}).status_code for n in range(5)]
    assert statuses.count(429) >= 1
    assert Mail.objects.count() == statuses.count(202)


# --- Links ------------------------------------------------------------------------------------------------------------


def test_link_works_once(carla):
    token = make_token(user=carla, kind="password_reset")
    assert set_password(token).status_code == 204
    assert codes_of(set_password(token, "gutter-77-y")) == {"token": ["link_used"]}
    assert sign_in("carla", NEW) == 200


@pytest.mark.parametrize("change", [{"email": "other@example.com"}, {"last_login": now()}])
def test_link_ends_with_another_address_and_with_a_sign_in(change, carla):
    token = make_token(user=carla, kind="password_reset")
    User.accounts.filter(pk=carla.pk).update(**change)
    assert code_of(set_password(token)) == "link_used"


@pytest.mark.parametrize(
    ("kind", "age", "status"),
    [
        ("password_reset", timedelta(minutes=59), 204),
        ("password_reset", timedelta(minutes=61), 400),
        ("invitation", timedelta(days=6), 204),
        ("invitation", timedelta(days=8), 400),
    ],
)
def test_link_expires(kind, age, status, carla, monkeypatch):
    made = signing.time.time()
    token = make_token(user=carla, kind=kind)
    monkeypatch.setattr(signing.time, "time", lambda: made + age.total_seconds())
    answer = set_password(token)
    assert answer.status_code == status
    assert status == 204 or code_of(answer) == "link_expired"


def test_link_of_another_user_or_a_changed_one_is_refused(carla, nina):
    own, other = (make_token(user=user, kind="password_reset") for user in (carla, nina))
    mixed = ":".join([own.split(":")[0], *other.split(":")[1:]])
    for token in (mixed, own[:-1], own[1:], "x", "a:b:c", signing.dumps([carla.pk]), signing.dumps(5)):
        assert codes_of(set_password(token)) == {"token": ["link_not_valid"]}
    assert sign_in("carla", PASSWORD) == 200


def test_weak_password_leaves_the_link_in_force(carla):
    token = make_token(user=carla, kind="password_reset")
    assert "password_too_short" in codes_of(set_password(token, "x"))["password"]
    assert set_password(token).status_code == 204


def test_new_password_by_link_ends_lockouts_and_sessions(carla, settings):
    settings.AXES_FAILURE_LIMIT = 2
    access = APIClient().post(TOKEN, {"username": "carla", "password": PASSWORD}).json()["access"]
    assert [sign_in("carla", "guess") for _ in range(2)] == [401, 429]
    carla.refresh_from_db()
    assert set_password(make_token(user=carla, kind="password_reset")).status_code == 204
    assert sign_in("carla", NEW) == 200
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    assert client.get("/api/v1/me").status_code == 401


# --- Invitations ------------------------------------------------------------------------------------------------------


def test_new_user_without_a_password_is_invited_by_mail(manager_api):
    body = {"username": "nina", "role": "csr", "email": "nina@example.com"}
    assert manager_api.post("/api/v1/users", body).status_code == 201
    [token] = mailed_tokens()
    assert "for Acme Roofing" in mail.outbox[0].body
    assert sign_in("nina", "") == 400
    assert set_password(token).status_code == 204
    assert sign_in("nina", NEW) == 200


def test_new_user_without_password_and_address_is_refused(manager_api):
    answer = manager_api.post("/api/v1/users", {"username": "nina", "role": "csr"})
    assert codes_of(answer) == {"email": ["required"]}
    assert not User.accounts.filter(username="nina").exists()
    assert not Mail.objects.exists()


def test_second_invitation_replaces_the_first(manager_api, nina):
    for _ in range(2):
        assert manager_api.post(f"/api/v1/users/{nina.pk}/invite").status_code == 202
        tokens = mailed_tokens()
    assert code_of(set_password(tokens[0])) == "link_used"
    assert set_password(tokens[1]).status_code == 204


@pytest.mark.parametrize(
    ("change", "code"),
    [({"email": ""}, "no_email"), ({"is_active": False}, "not_active"), ({"password": "x"}, "already_joined")],
)
def test_user_who_can_not_be_invited_is_refused(change, code, manager_api, nina):
    User.accounts.filter(pk=nina.pk).update(**change)
    assert code_of(manager_api.post(f"/api/v1/users/{nina.pk}/invite")) == code
    assert not Mail.objects.exists()


def test_user_of_another_company_can_not_be_invited(nina, globex):
    outsider = factories.UserFactory(company=globex, role="manager")
    assert signed_in(outsider).post(f"/api/v1/users/{nina.pk}/invite").status_code == 404
    assert not Mail.objects.exists()


def test_own_password_is_changed_with_the_present_one_alone(manager, manager_api):
    refused = manager_api.patch(f"/api/v1/users/{manager.pk}", {"password": "copper-flashing-7"})
    assert (refused.status_code, list(errors_of(refused))) == (400, ["password"])
    manager.refresh_from_db()
    assert manager.check_password(PASSWORD)
