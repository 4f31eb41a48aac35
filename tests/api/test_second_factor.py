"""Second factors over the API."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.utils.timezone import now
from rest_framework.test import APIClient

from crm import totp
from crm.api.tokens import SessionToken
from crm.db.tenancy import all_tenants
from crm.fields import as_stored
from crm.models import AuditEntry, SecondFactor, User, UserSession
from crm.services import second_factors
from crm.services.second_factors import (
    SecondFactorRefused,
    WrongCode,
    begin_second_factor,
    confirm_second_factor,
    renew_recovery_codes,
    reset_second_factor,
)
from tests import factories
from tests.conftest import signed_in
from tests.errors import code_of, codes_of
from tests.factories import PASSWORD, TOTP_KEY

TOKEN, FACTOR = "/api/v1/auth/token", "/api/v1/me/second-factor"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that only the tests move, by whole steps."""
    times = [1_000_000_000]
    monkeypatch.setattr(totp.time, "time", lambda: times[0])
    return times


@pytest.fixture
def secured(manager):
    """A manager with a second factor."""
    factories.SecondFactorFactory(user=manager)
    manager.second_factor_since = now()
    manager.save()
    return manager


def present_code(clock, key=TOTP_KEY):
    return totp.code_at(key, clock[0] // totp.STEP_S)


def sign_in(user, **more):
    return APIClient().post(TOKEN, {"username": user.username, "password": PASSWORD, **more})


def test_manager_sets_up_a_second_factor_and_signs_in_with_it(manager, clock):
    client = signed_in(manager)
    made = client.post(FACTOR, {"password": PASSWORD})
    assert made.status_code == 201
    key = made.json()["secret"]
    assert made.json()["qr_svg"].startswith("<svg")
    assert "style=" not in made.json()["qr_svg"]
    assert sign_in(manager).status_code == 200  # it doesn't count yet
    confirmed = client.post(f"{FACTOR}/confirm", {"code": present_code(clock, key)})
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert client.get(FACTOR).json()["recovery_codes_left"] == 10
    assert code_of(sign_in(manager)) == "code_required"
    clock[0] += 30
    assert "access" in sign_in(manager, code=present_code(clock, key)).json()
    assert "access" in sign_in(manager, code=codes[0]).json()
    with all_tenants():
        [entry] = AuditEntry.objects.filter(table_name="users", row_id=manager.pk).order_by("-id")[:1]
    assert (entry.actor, [*entry.changes]) == ("maria", ["second_factor_since"])


def test_secret_is_encrypted_and_recovery_codes_are_hashed(manager, clock):
    client = signed_in(manager)
    key = client.post(FACTOR, {"password": PASSWORD}).json()["secret"]
    [code, *_] = client.post(f"{FACTOR}/confirm", {"code": present_code(clock, key)}).json()["recovery_codes"]
    stored = SecondFactor.objects.annotate(stored=as_stored("key")).get()
    assert key not in stored.stored
    assert code.replace("-", "") not in str(stored.recovery_codes)


def test_code_works_once(secured, clock):
    code = present_code(clock)
    assert sign_in(secured, code=code).status_code == 200
    assert code_of(sign_in(secured, code=code)) == "wrong_code"
    clock[0] += 30
    assert code_of(sign_in(secured, code=code)) == "wrong_code"
    assert sign_in(secured, code=present_code(clock)).status_code == 200


def test_recovery_code_of_a_lost_phone_works_once(secured, clock):
    [code, *_] = (
        signed_in(secured).post(f"{FACTOR}/recovery-codes", {"code": present_code(clock)}).json()["recovery_codes"]
    )
    assert sign_in(secured, code=code.upper().replace("-", " ")).status_code == 200
    assert code_of(sign_in(secured, code=code)) == "wrong_code"
    assert signed_in(secured).get(FACTOR).json()["recovery_codes_left"] == 9


def test_new_recovery_codes_replace_the_old_ones(secured, clock):
    client = signed_in(secured)
    [old, *_] = client.post(f"{FACTOR}/recovery-codes", {"code": present_code(clock)}).json()["recovery_codes"]
    clock[0] += 30
    client.post(f"{FACTOR}/recovery-codes", {"code": present_code(clock)})
    assert code_of(sign_in(secured, code=old)) == "wrong_code"


@pytest.mark.parametrize("code", ["", "123", "12345678901234567890", "١٢٣٤٥٦", "abcde-fghij", "     ", "000000"])
def test_odd_code_opens_nothing(code, secured):
    assert sign_in(secured, code=code).status_code in (400, 401)


def test_ten_wrong_codes_lock_the_user_from_every_address(secured, clock):
    body = {"username": secured.username, "password": PASSWORD, "code": "000000"}
    answers = [APIClient().post(TOKEN, body, REMOTE_ADDR=f"192.0.2.{n}") for n in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    right = APIClient().post(TOKEN, body | {"code": present_code(clock)}, REMOTE_ADDR="198.51.100.4")
    assert (right.status_code, code_of(right)) == (429, "locked_out")
    assert 0 < int(right["Retry-After"]) <= 900
    SecondFactor.objects.update(failed_at=now() - timedelta(seconds=901))
    assert APIClient().post(TOKEN, body | {"code": present_code(clock)}).status_code == 200
    assert SecondFactor.objects.get().failures == 0


def test_ten_wrong_codes_lock_the_name_from_the_address_like_wrong_passwords(secured, settings):
    settings.AXES_FAILURE_LIMIT = 3
    answers = [sign_in(secured, code="000000").status_code for _ in range(4)]
    assert answers == [401, 401, 429, 429]


def test_wrong_password_says_nothing_about_the_code(secured, clock):
    body = {"username": secured.username, "password": "wrong", "code": present_code(clock)}
    assert code_of(APIClient().post(TOKEN, body)) == "no_active_account"
    assert sign_in(secured, code=present_code(clock)).status_code == 200  # the code isn't used up


def test_wrong_code_of_a_signed_in_user_is_named_and_counted(secured):
    answer = signed_in(secured).post(f"{FACTOR}/remove", {"code": "000000"})
    assert codes_of(answer) == {"code": ["code_not_valid"]}
    assert SecondFactor.objects.get().failures == 1
    secured.refresh_from_db()
    assert secured.second_factor_since is not None


def test_key_needs_the_password(manager):
    answer = signed_in(manager).post(FACTOR, {"password": "wrong"})
    assert codes_of(answer) == {"password": ["wrong_password"]}
    assert not SecondFactor.objects.exists()


def test_wrong_passwords_for_a_key_lock_like_a_sign_in(manager, settings):
    settings.AXES_FAILURE_LIMIT = 3
    answers = [signed_in(manager).post(FACTOR, {"password": "wrong"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert sign_in(manager).status_code == 429


def test_second_factor_is_set_up_once(secured):
    answer = signed_in(secured).post(FACTOR, {"password": PASSWORD})
    assert code_of(answer) == "second_factor_on"
    assert SecondFactor.objects.get().key == TOTP_KEY


def test_second_factor_is_removed_by_a_code(secured, clock):
    assert signed_in(secured).post(f"{FACTOR}/remove", {"code": present_code(clock)}).status_code == 204
    assert sign_in(secured).status_code == 200
    assert not SecondFactor.objects.exists()


def test_manager_resets_the_second_factor_of_a_csr_whose_sessions_end(manager, csr):
    factories.SecondFactorFactory(user=csr)
    csr.second_factor_since = now()
    csr.save()
    access = SessionToken.for_user(csr).access_token
    answer = signed_in(manager).post(f"/api/v1/users/{csr.pk}/reset-second-factor")
    assert (answer.status_code, answer.json()["second_factor_since"]) == (200, None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    assert client.get("/api/v1/me").status_code == 401
    assert sign_in(csr).status_code == 200
    assert code_of(signed_in(manager).post(f"/api/v1/users/{csr.pk}/reset-second-factor")) == "second_factor_off"


def test_staff_have_a_second_factor_over_the_api_too(staff, clock):
    key = signed_in(staff).post(FACTOR, {"password": PASSWORD}).json()["secret"]
    assert signed_in(staff).post(f"{FACTOR}/confirm", {"code": present_code(clock, key)}).status_code == 200
    assert code_of(sign_in(staff)) == "code_required"


def test_manager_cannot_reset_the_own_second_factor_without_a_code(secured):
    answer = signed_in(secured).post(f"/api/v1/users/{secured.pk}/reset-second-factor")
    assert (answer.status_code, code_of(answer)) == (403, "permission_denied")
    secured.refresh_from_db()
    assert secured.second_factor_since is not None


def test_key_of_another_tab_does_not_replace_one_that_was_confirmed_meanwhile(manager, clock):
    key = begin_second_factor(user=manager)
    other_tab = User.accounts.get(pk=manager.pk)
    confirm_second_factor(user=manager, code=present_code(clock, key))
    with pytest.raises(SecondFactorRefused, match="already"):
        begin_second_factor(user=other_tab)
    clock[0] += 30
    assert sign_in(manager, code=present_code(clock, key)).status_code == 200


def between(monkeypatch, step):
    """Let the step run between the check of the next code and what follows it."""

    def check_and_step(**values):
        checked = check_code(**values)
        monkeypatch.setattr(second_factors, "check_code", check_code)
        step()
        return checked

    check_code = second_factors.check_code
    monkeypatch.setattr(second_factors, "check_code", check_and_step)


def test_code_of_a_key_that_another_tab_has_replaced_confirms_nothing(manager, clock, monkeypatch):
    key = begin_second_factor(user=manager)
    between(monkeypatch, lambda: begin_second_factor(user=User.accounts.get(pk=manager.pk)))
    with pytest.raises(WrongCode, match="replaced"):
        confirm_second_factor(user=manager, code=present_code(clock, key))
    assert sign_in(manager).status_code == 200
    assert SecondFactor.objects.get().key != key


def test_second_factor_that_is_confirmed_in_two_tabs_has_one_set_of_recovery_codes(manager, clock, monkeypatch):
    key = begin_second_factor(user=manager)
    shown = []

    def confirm_in_another_tab():
        clock[0] += 30
        user = User.accounts.get(pk=manager.pk)
        shown.extend(confirm_second_factor(user=user, code=present_code(clock, key)))

    between(monkeypatch, confirm_in_another_tab)
    with pytest.raises(SecondFactorRefused, match="already"):
        confirm_second_factor(user=manager, code=present_code(clock, key))
    assert sign_in(manager, code=shown[0]).status_code == 200


def test_recovery_codes_of_a_second_factor_that_was_reset_meanwhile_are_not_shown(secured, clock, monkeypatch):
    between(monkeypatch, lambda: reset_second_factor(user=User.accounts.get(pk=secured.pk)))
    with pytest.raises(SecondFactorRefused, match="no second factor"):
        renew_recovery_codes(user=secured, code=present_code(clock))


@pytest.fixture
def lost_key(secured, settings, clock):
    """The key that has encrypted the second factor is missing. Returns a recovery code."""
    [code, *_] = renew_recovery_codes(user=secured, code=present_code(clock))
    clock[0] += 30
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    return code


def test_missing_key_of_the_server_is_a_503_that_signs_nobody_in(secured, lost_key, clock, caplog):
    answer = sign_in(secured, code=present_code(clock))
    assert (answer.status_code, code_of(answer)) == (503, "secret_unreadable")
    assert "SECRETS_KEYS" in caplog.text
    assert not UserSession.objects.exists()
    assert SecondFactor.objects.defer("key").get().failures == 0
    assert sign_in(secured, code=lost_key).status_code == 200  # a recovery code needs no key


def test_second_factor_of_a_missing_key_is_seen_and_reset(secured, lost_key, staff):
    client = signed_in(secured)
    assert client.get(FACTOR).json()["recovery_codes_left"] == 10
    removed = client.post(f"{FACTOR}/remove", {"code": "123456"})
    assert (removed.status_code, code_of(removed)) == (503, "secret_unreadable")
    reset_second_factor(user=User.accounts.get(pk=secured.pk))
    assert sign_in(secured).status_code == 200
