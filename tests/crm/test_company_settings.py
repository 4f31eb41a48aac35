"""The company as its users see it, and its manager changes it."""

import pytest
from django.db import IntegrityError, transaction

from crm.models import Company
from tests.conftest import signed_in

URL = "/api/v1/company"


def test_everybody_sees_the_company_they_work_for(manager_api, csr_api, rep_api, outsider_api):
    for api in (manager_api, csr_api, rep_api):
        told = api.get(URL).json()
        assert (told["name"], told["timezone"], told["currency"]) == ("Acme Roofing", "America/Denver", "USD")
        assert told["missed_call_text"] == ""
    assert outsider_api.get(URL).json()["name"] == "Globex Concrete"


def test_the_manager_changes_its_name_and_the_text_to_missed_callers(manager_api, acme, globex):
    said = {"name": "Acme & Sons", "missed_call_text": "Sorry that we missed you."}
    response = manager_api.patch(URL, said)
    assert response.status_code == 200
    assert response.json().items() >= said.items()
    acme.refresh_from_db()
    assert (acme.name, acme.missed_call_text) == ("Acme & Sons", "Sorry that we missed you.")
    assert Company.objects.get(pk=globex.pk).name == "Globex Concrete"


def test_the_zone_and_what_providers_know_it_by_are_not_changed_here(manager_api, acme):
    manager_api.patch(URL, {"timezone": "UTC", "slug": "other", "currency": "EUR"})
    acme.refresh_from_db()
    assert (acme.timezone, acme.slug, acme.currency) == ("America/Denver", "acme", "USD")


def test_a_text_that_is_too_long_or_a_name_that_is_empty_is_named(manager_api, acme):
    assert list(manager_api.patch(URL, {"missed_call_text": "x" * 1601}).json()) == ["missed_call_text"]
    assert list(manager_api.patch(URL, {"name": ""}).json()) == ["name"]


def test_nobody_else_changes_it(csr, rep, acme):
    for user in (csr, rep):
        assert signed_in(user).patch(URL, {"name": "Mine"}).status_code == 403
    acme.refresh_from_db()
    assert acme.name == "Acme Roofing"


def test_the_manager_says_how_long_rows_are_kept_and_never_less_than_a_year(manager_api, acme):
    assert manager_api.get(URL).json()["retention_days"] is None
    assert manager_api.patch(URL, {"retention_days": 730}).json()["retention_days"] == 730
    assert list(manager_api.patch(URL, {"retention_days": 364}).json()) == ["retention_days"]
    assert manager_api.patch(URL, {"retention_days": None}).json()["retention_days"] is None
    acme.retention_days = 364
    with pytest.raises(IntegrityError), transaction.atomic():
        acme.save()
