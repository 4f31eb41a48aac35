"""Codes by time, against the test vectors of RFC 6238."""

import base64

import pytest

from crm import totp

KEY = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_code_is_that_of_the_standard(seconds, code):
    assert totp.code_at(KEY, seconds // totp.STEP_S) == code


@pytest.mark.parametrize(("late", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clock_of_a_phone_may_differ_by_one_step(late, accepted, monkeypatch):
    monkeypatch.setattr(totp.time, "time", lambda: 1_000_000_000 + late)
    step = 1_000_000_000 // totp.STEP_S
    assert totp.step_of_code(KEY, totp.code_at(KEY, step), after=0) == (step if accepted else None)


def test_used_step_counts_no_more(monkeypatch):
    monkeypatch.setattr(totp.time, "time", lambda: 1_000_000_000)
    step = 1_000_000_000 // totp.STEP_S
    assert totp.step_of_code(KEY, totp.code_at(KEY, step), after=step) is None
    assert totp.step_of_code(KEY, totp.code_at(KEY, step - 1), after=step) is None
    assert totp.step_of_code(KEY, totp.code_at(KEY, step + 1), after=step) == step + 1


def test_uri_names_the_account_and_its_issuer():
    uri = totp.provisioning_uri("ABC", account="maria@acme", issuer="Home CRM")
    assert uri == "otpauth://totp/Home%20CRM:maria%40acme?secret=ABC&issuer=Home%20CRM"
