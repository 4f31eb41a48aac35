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
