"""Pages of people's own accounts."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils.timezone import now

from crm import totp
from crm.models import Mail, SecondFactor, UserSession
from crm.services.links import make_token
from crm.services.mails import send_next_mail
from tests import factories
from tests.factories import PASSWORD, TOTP_KEY

LOGIN, FACTOR = "/admin/login/", "/admin/second-factor/"


def present_code(key=TOTP_KEY):
    return totp.code_at(key, int(totp.time.time() // totp.STEP_S))


def sign_in(client, user, **more):
    return client.post(LOGIN, {"username": user.username, "password": PASSWORD, **more})


@pytest.fixture
def secured(staff):
    factories.SecondFactorFactory(user=staff)
    staff.second_factor_since = now()
    staff.save()
    return staff


def test_sign_in_asks_for_the_code_of_a_second_factor(client, secured):
    assert "the code of your authenticator app" in sign_in(client, secured).content.decode()
    assert "This code is wrong" in sign_in(client, secured, code="000000").content.decode()
    assert client.get("/admin/").status_code == 302
    assert sign_in(client, secured, code=present_code()).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert "This code is wrong" in sign_in(Client(), secured, code=present_code()).content.decode()  # it works once


def test_wrong_codes_lock_the_sign_in(client, secured, settings):
    settings.AXES_FAILURE_LIMIT = 3
    assert [sign_in(client, secured, code="000000").status_code for _ in range(4)] == [200, 200, 429, 429]


def test_staff_set_up_and_remove_a_second_factor(client, staff):
    client.force_login(staff)
    html = client.post(FACTOR, {"action": "begin"}).content.decode()
    assert "<svg" in html
    assert "style=" not in html
    key = SecondFactor.objects.get().key
    assert "This code is wrong" in client.post(FACTOR, {"action": "confirm", "code": "000000"}).content.decode()
    assert "recovery codes" in client.post(FACTOR, {"action": "confirm", "code": present_code(key)}).content.decode()
    staff.refresh_from_db()
    assert staff.second_factor_since is not None
    SecondFactor.objects.update(last_step=0)
    client.post(FACTOR, {"action": "remove", "code": present_code(key)})
    assert not SecondFactor.objects.exists()


def test_required_second_factor_is_set_up_before_anything_else(client, staff, settings):
    settings.REQUIRE_SECOND_FACTOR = True
    client.force_login(staff)
    for path in ("/admin/", "/admin/crm/contact/", "/admin/search/?q=x"):
        assert client.get(path).url == FACTOR
    assert client.get(FACTOR).status_code == 200
    staff.second_factor_since = now()
    staff.save()
    assert client.get("/admin/").status_code == 200


def test_forgotten_password_is_replaced_by_the_mailed_link(client, staff):
    staff.email = "stella@example.com"
    staff.save()
    shown = [
        client.post("/forgotten-password", {"email": email}).content
        for email in ("STELLA@example.com", "x@example.com")
    ]
    assert shown[0] == shown[1]
    while send_next_mail():
        pass
    [link] = [word for word in mail.outbox[0].body.split() if "/set-password/" in word]
    path = link[link.index("/set-password/") :]
    assert client.get(path).status_code == 200
    assert "too short" in client.post(path, {"password": "x"}).content.decode()
    assert "Your password is set" in client.post(path, {"password": "shingle-99-x"}).content.decode()
    assert client.get(path).status_code == 400
    answer = client.post(LOGIN, {"username": staff.username, "password": "shingle-99-x"})
    assert answer.status_code == 302


def test_link_that_is_no_link_is_explained(client, csr):
    answer = client.get("/set-password/nonsense")
    assert (answer.status_code, "valid" in answer.content.decode()) == (400, True)
    csr.is_active = False
    csr.save()
    assert client.get(f"/set-password/{make_token(user=csr, kind='invitation')}").status_code == 400


def test_requests_for_links_are_limited(client, db, settings):
    settings.THROTTLE_SIGN_IN_PER_MIN = 1
    emails = ("x@example.com", "y@example.com", "z@example.com")
    statuses = [client.post("/forgotten-password", {"email": email}).status_code for email in emails]
    assert 429 in statuses
    assert Mail.objects.count() == statuses.count(200)


def test_mailbox_gets_one_link_however_often_somebody_asks(client, db):
    for email in ("x@example.com", "X@example.com", "x@example.com"):
        assert client.post("/forgotten-password", {"email": email}).status_code == 200
    assert Mail.objects.count() == 1
    Mail.objects.update(created_at=now() - timedelta(minutes=6))
    client.post("/forgotten-password", {"email": "x@example.com"})
    assert Mail.objects.count() == 2


def test_session_that_changes_the_password_stays_in_the_list(client, staff):
    sign_in(client, staff)
    form = {"old_password": PASSWORD, "new_password1": "shingle-99-x", "new_password2": "shingle-99-x"}
    assert client.post("/admin/password_change/", form).status_code == 302
    assert [each.key for each in UserSession.objects.filter(user=staff)] == [client.session.session_key]
