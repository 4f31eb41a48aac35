"""The company's settings in the API."""

import pytest
from django.db import IntegrityError, transaction

from crm.models import Company
from tests.conftest import signed_in
from tests.errors import errors_of

URL = "/api/v1/company"


def test_user_sees_the_own_company(manager_api, csr_api, rep_api, outsider_api):
    for api in (manager_api, csr_api, rep_api):
        company = api.get(URL).json()
        assert (company["name"], company["timezone"], company["currency"]) == ("Acme Roofing", "America/Denver", "USD")
        assert company["missed_call_text"] == ""
    assert outsider_api.get(URL).json()["name"] == "Globex Concrete"


def test_manager_changes_name_and_missed_call_text(manager_api, acme, globex):
    changes = {"name": "Acme & Sons", "missed_call_text": "Sorry that we missed you."}
    response = manager_api.patch(URL, changes)
    assert response.status_code == 200
    assert response.json().items() >= changes.items()
    acme.refresh_from_db()
    assert (acme.name, acme.missed_call_text) == ("Acme & Sons", "Sorry that we missed you.")
    assert Company.objects.get(pk=globex.pk).name == "Globex Concrete"


def test_time_zone_slug_and_currency_cannot_be_changed(manager_api, acme):
    manager_api.patch(URL, {"timezone": "UTC", "slug": "other", "currency": "EUR"})
    acme.refresh_from_db()
    assert (acme.timezone, acme.slug, acme.currency) == ("America/Denver", "acme", "USD")


def test_too_long_text_or_empty_name_is_refused(manager_api, acme):
    assert list(errors_of(manager_api.patch(URL, {"missed_call_text": "x" * 1601}))) == ["missed_call_text"]
    assert list(errors_of(manager_api.patch(URL, {"name": ""}))) == ["name"]


def test_csr_and_rep_cannot_change_the_company(csr, rep, acme):
    for user in (csr, rep):
        assert signed_in(user).patch(URL, {"name": "Mine"}).status_code == 403
    acme.refresh_from_db()
    assert acme.name == "Acme Roofing"


def test_retention_is_at_least_a_year(manager_api, acme):
    assert manager_api.get(URL).json()["retention_days"] is None
    assert manager_api.patch(URL, {"retention_days": 730}).json()["retention_days"] == 730
    assert list(errors_of(manager_api.patch(URL, {"retention_days": 364}))) == ["retention_days"]
    assert manager_api.patch(URL, {"retention_days": None}).json()["retention_days"] is None
    acme.retention_days = 364
    with pytest.raises(IntegrityError), transaction.atomic():
        acme.save()


def test_conversations_are_closed_after_a_week_at_the_earliest(manager_api, acme):
    assert manager_api.get(URL).json()["close_conversations_after_days"] == 90
    assert manager_api.patch(URL, {"close_conversations_after_days": 7}).status_code == 200
    assert manager_api.patch(URL, {"close_conversations_after_days": 6}).status_code == 400
    assert manager_api.patch(URL, {"close_conversations_after_days": None}).status_code == 200
    acme.close_conversations_after_days = 6
    with pytest.raises(IntegrityError), transaction.atomic():
        acme.save()


@pytest.mark.parametrize(
    ("field", "valid", "invalid"),
    [
        ("require_marketing_consent", [True, False], ["yes", None]),
        ("appointment_reminders", [True, False], [1, None]),
        ("campaign_interval_days", [1, 365, None], [0, 366, -1, "7"]),
        ("daily_segment_limit", [1, 2_000, None], [0, -1, 2**31]),
        ("segment_price_micros", [0, 8_300, 10_000_000], [-1, 10_000_001, None]),
    ],
)
def test_settings_of_campaigns_and_reminders_are_validated(manager_api, acme, field, valid, invalid):
    for value in valid:
        assert manager_api.patch(URL, {field: value}).json()[field] == value
    for value in invalid:
        response = manager_api.patch(URL, {field: value})
        assert (response.status_code, list(errors_of(response))) == (400, [field]), value
    assert manager_api.get(URL).json()[field] == valid[-1]


def test_settings_of_campaigns_are_off_at_first(manager_api):
    company = manager_api.get(URL).json()
    assert (company["require_marketing_consent"], company["appointment_reminders"]) == (False, False)
    assert (company["campaign_interval_days"], company["daily_segment_limit"]) == (None, None)


@pytest.mark.parametrize(
    "value", [{"campaign_interval_days": 366}, {"daily_segment_limit": 0}, {"segment_price_micros": 10_000_001}]
)
def test_database_refuses_settings_out_of_range(acme, value):
    with pytest.raises(IntegrityError), transaction.atomic():
        Company.objects.filter(pk=acme.pk).update(**value)
