"""Pages of people's own accounts."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.test import Client
from django.utils.timezone import now

from crm import totp
from crm.models import Mail, SecondFactor, UserSession
from crm.services.links import make_token
from crm.services.mails import send_next_mail
from tests import factories
from tests.factories import PASSWORD, TOTP_KEY

LOGIN, FACTOR, SESSIONS = "/admin/login/", "/admin/second-factor/", "/admin/sessions/"


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
    code = present_code()
    assert sign_in(client, secured, code=code).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert "This code is wrong" in sign_in(Client(), secured, code=code).content.decode()  # it works once


def test_missing_key_of_the_server_is_said_and_signs_nobody_in(client, secured, settings):
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    assert "a key of the server is missing" in sign_in(client, secured, code=present_code()).content.decode()
    assert client.get("/admin/").status_code == 302
    client.force_login(secured)
    assert "a key of the server is missing" in post_factor(client, "remove", code=present_code())


def test_wrong_codes_lock_the_sign_in(client, secured, settings):
    settings.AXES_FAILURE_LIMIT = 3
    assert [sign_in(client, secured, code="000000").status_code for _ in range(4)] == [200, 200, 429, 429]


def post_factor(client, action, **fields):
    return client.post(FACTOR, {"action": action, **fields}).content.decode()


def test_staff_set_up_and_remove_a_second_factor(client, staff):
    client.force_login(staff)
    html = post_factor(client, "begin", password=PASSWORD)
    assert "<svg" in html
    assert "style=" not in html
    key = SecondFactor.objects.get().key
    assert "This code is wrong" in post_factor(client, "confirm", code="000000")
    assert "recovery codes" in post_factor(client, "confirm", code=present_code(key))
    staff.refresh_from_db()
    assert staff.second_factor_since is not None
    SecondFactor.objects.update(last_step=0)
    post_factor(client, "remove", code=present_code(key))
    assert not SecondFactor.objects.exists()


def test_key_of_a_second_factor_is_shown_for_the_password_alone(client, staff):
    client.force_login(staff)
    assert "your present password" in post_factor(client, "begin", password="wrong")
    assert not SecondFactor.objects.exists()
    assert "<svg" in post_factor(client, "begin", password=PASSWORD)
    key = SecondFactor.objects.get().key
    assert key not in client.get(FACTOR).content.decode()
    assert key not in post_factor(client, "confirm", code="000000")


def test_wrong_passwords_lock_the_set_up(client, staff, settings):
    settings.AXES_FAILURE_LIMIT = 2
    client.force_login(staff)
    statuses = [client.post(FACTOR, {"action": "begin", "password": "wrong"}).status_code for _ in range(3)]
    assert statuses == [200, 429, 429]
    assert client.post(FACTOR, {"action": "begin", "password": PASSWORD}).status_code == 429


def test_staff_get_new_recovery_codes(client, secured):
    client.force_login(secured)
    assert "This code is wrong" in post_factor(client, "renew", code="000000")
    assert "never shown again" in post_factor(client, "renew", code=present_code())
    assert "10 recovery codes left" in client.get(FACTOR).content.decode()


# --- Sessions ---------------------------------------------------------------------------------------------------------


def test_staff_list_their_sessions_and_end_another_one(client, staff, csr):
    other = Client(headers={"User-Agent": "Lost laptop"})
    assert sign_in(other, staff).status_code == 302
    assert sign_in(client, staff).status_code == 302
    factories.UserSessionFactory(user=csr, client="A colleague's")
    html = client.get(SESSIONS).content.decode()
    assert ("Lost laptop" in html, "A colleague" in html, html.count("This session.")) == (True, False, 1)
    own, lost = UserSession.objects.filter(user=staff).order_by("-created_at")
    client.post(SESSIONS, {"session": lost.pk})
    assert (client.get("/admin/").status_code, other.get("/admin/").status_code) == (200, 302)
    for odd in (own.pk, UserSession.objects.get(user=csr).pk, "x", "9" * 23, ""):
        client.post(SESSIONS, {"session": odd})
    assert UserSession.objects.count() == 2


def test_staff_end_all_other_sessions(client, staff):
    others = [Client(), Client()]
    for each in (*others, client):
        sign_in(each, staff)
    client.post(SESSIONS, {"action": "end-others"})
    assert [each.get("/admin/").status_code for each in (*others, client)] == [302, 302, 200]


def test_session_is_still_listed_after_its_user_has_changed_the_password(client, staff):
    other = Client()
    for each in (other, client):
        sign_in(each, staff)
    new = "shingle-99-x"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", fields).status_code == 302
    assert other.get("/admin/").status_code == 302
    assert client.get(SESSIONS).content.decode().count("This session.") == 1
    assert UserSession.objects.count() == 1


# --- Mailed links -----------------------------------------------------------------------------------------------------


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
