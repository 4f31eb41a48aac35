"""The company's settings in the API."""

import pytest
from django.core.exceptions import ValidationError
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


def test_manager_changes_time_zone_and_currency_but_not_the_slug(manager_api, acme):
    answer = manager_api.patch(URL, {"timezone": "America/Phoenix", "currency": "CAD"}).json()
    assert (answer["timezone"], answer["currency"]) == ("America/Phoenix", "CAD")
    for body in ({"slug": "other"}, {"timezone": "Denver"}, {"currency": "usd"}, {"currency": None}):
        response = manager_api.patch(URL, body | {"name": "Acme Roofs"})
        assert (response.status_code, list(errors_of(response))) == (400, list(body)), body
    acme.refresh_from_db()
    assert (acme.name, acme.timezone, acme.slug, acme.currency) == ("Acme Roofing", "America/Phoenix", "acme", "CAD")


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (21, 8, None),
        (20, 9, None),
        (9, 8, None),
        (21, 20, None),
        (22, 8, "quiet_hours_start"),
        (21, 7, "quiet_hours_end"),
        (0, 8, "quiet_hours_start"),
        (9, 9, "quiet_hours_start"),
        (9, 17, "quiet_hours_start"),
        (20, None, "quiet_hours_end"),
        ("20", 8, "quiet_hours_start"),
    ],
)
def test_quiet_hours_can_only_be_longer_than_those_of_the_law(manager_api, acme, start, end, field):
    response = manager_api.patch(URL, {"quiet_hours_start": start, "quiet_hours_end": end})
    if field is None:
        assert (response.json()["quiet_hours_start"], response.json()["quiet_hours_end"]) == (start, end)
        return
    assert (response.status_code, list(errors_of(response))) == (400, [field])
    if (start, end) in ((22, 8), (21, 7)):
        assert errors_of(response)[field] == ["Must be from 8 to 21: the law allows automatic texts in no other hours."]
    acme.refresh_from_db()
    assert (acme.quiet_hours_start, acme.quiet_hours_end) == (21, 8)


def test_one_quiet_hour_alone_is_compared_with_the_other_that_is_stored(manager_api):
    assert manager_api.patch(URL, {"quiet_hours_end": 12}).status_code == 200
    assert list(errors_of(manager_api.patch(URL, {"quiet_hours_start": 12}))) == ["quiet_hours_start"]
    assert manager_api.patch(URL, {"quiet_hours_start": 13}).status_code == 200


WEEK = {"monday": {"opens": "08:00", "closes": "17:30"}, "saturday": {"opens": "09:00", "closes": "12:00"}}


def test_working_hours_are_replaced_as_a_whole(manager_api):
    assert manager_api.get(URL).json()["working_hours"] is None
    hours = manager_api.patch(URL, {"working_hours": WEEK}).json()["working_hours"]
    assert list(hours) == ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    assert {day: span for day, span in hours.items() if span} == WEEK
    hours = manager_api.patch(URL, {"working_hours": {"sunday": None}}).json()["working_hours"]
    assert set(hours.values()) == {None}
    assert manager_api.patch(URL, {"working_hours": None}).json()["working_hours"] is None


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ({"funday": None}, "working_hours.funday"),
        ({"monday": {"opens": "08:00"}}, "working_hours.monday.closes"),
        ({"monday": {"opens": "8", "closes": "17:00"}}, "working_hours.monday.opens"),
        ({"monday": {"opens": "08:00", "closes": "24:00"}}, "working_hours.monday.closes"),
        ({"monday": {"opens": "17:00", "closes": "08:00"}}, "working_hours.monday.closes"),
        ({"monday": {"opens": "08:00", "closes": "08:00"}}, "working_hours.monday.closes"),
        ({"monday": "08:00-17:00"}, "working_hours.monday.non_field_errors"),
        ("always", "working_hours.non_field_errors"),
    ],
)
def test_faulty_working_hours_are_named(manager_api, hours, field):
    response = manager_api.patch(URL, {"working_hours": hours})
    assert (response.status_code, [each["attr"] for each in response.json()["errors"]]) == (400, [field])
    assert manager_api.get(URL).json()["working_hours"] is None


@pytest.mark.parametrize("hours", ["always", {"funday": None}, {"monday": {"opens": "17:00", "closes": "08:00"}}, [1]])
def test_admin_refuses_faulty_working_hours(acme, hours):
    acme.working_hours = hours
    with pytest.raises(ValidationError, match="working_hours"):
        acme.full_clean()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{company_name}: you are unsubscribed. Reply START to come back.", ""),
        ("{company_name}: no recibirá más mensajes. Responda START para recibirlos.", ""),
        ("", ""),
        ("You are unsubscribed. Reply START to come back.", "{company_name}"),
        ("{company_name}: you are unsubscribed.", "START"),
        ("{company_name}: you are unsubscribed. Restart?", "START"),
        ("{company_name}: bye. Reply START, or see acme.com", "no links"),
        ("{company_name}: bye. Reply START for 10% off.", "offers"),
        ("{company_name}: bye. Reply START for our spring sale.", "offers"),
        ("{company_name} {first_name}: bye. Reply START.", "{first_name}"),
        ("{company_name}: bye. Reply START." + "." * 300, "characters"),
    ],
)
def test_confirmation_of_an_opt_out_only_confirms(manager_api, text, fault):
    response = manager_api.patch(URL, {"opt_out_text": text})
    if not fault:
        assert response.json()["opt_out_text"] == text
        return
    assert (response.status_code, list(errors_of(response))) == (400, ["opt_out_text"])
    assert fault in errors_of(response)["opt_out_text"][0]


def test_changed_settings_are_in_the_audit_with_the_manager(manager, manager_api, acme, outsider_api):
    manager_api.patch(URL, {"quiet_hours_start": 20, "opt_out_text": ""})
    manager_api.patch(URL, {"timezone": "America/Phoenix"})
    entries = manager_api.get("/api/v1/audit?resource=company").json()["results"]
    assert [(each["object"], each["user"], each["changes"]) for each in entries] == [
        (acme.pk, manager.pk, {"timezone": ["America/Denver", "America/Phoenix"]}),
        (acme.pk, manager.pk, {"quiet_hours_start": [21, 20]}),
    ]
    assert outsider_api.get("/api/v1/audit?resource=company").json()["results"] == []


def test_stale_settings_are_refused_with_the_present_ones(manager_api):
    tag = manager_api.get(URL)["ETag"]
    assert manager_api.patch(URL, {"quiet_hours_start": 20}, headers={"If-Match": tag}).status_code == 200
    stale = manager_api.patch(URL, {"timezone": "UTC"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["current"]["quiet_hours_start"]) == (412, 20)
    assert manager_api.get(URL).json()["timezone"] == "America/Denver"


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
    "value",
    [
        {"campaign_interval_days": 366},
        {"daily_segment_limit": 0},
        {"segment_price_micros": 10_000_001},
        {"quiet_hours_start": 22},
        {"quiet_hours_end": 7},
        {"quiet_hours_end": 21},
        {"quiet_hours_start": 8},
    ],
)
def test_database_refuses_settings_out_of_range(acme, value):
    with pytest.raises(IntegrityError), transaction.atomic():
        Company.objects.filter(pk=acme.pk).update(**value)
