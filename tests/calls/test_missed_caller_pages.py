"""The page of a missed caller: who calls back, and whether the caller was reached."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse
from django.utils.timezone import now

from calls.models import MissedCaller
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry
from tests.factories import ContactFactory, MissedCallerFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(acme):
    return MissedCallerFactory(contact=ContactFactory(company=acme, first_name="Casey"))


def page_of(caller):
    return reverse("admin:calls_missedcaller_change", args=[caller.pk])


def act(client, caller, name):
    url = reverse("admin:calls_missedcaller_act", args=[caller.pk])
    html = client.post(url, {name: "1"}, follow=True).content.decode()
    connection.check_constraints()
    with all_tenants():
        caller.refresh_from_db()
    return html


def test_colleagues_see_who_calls_back_until_the_claim_ends(staff_client, staff, caller):
    assert "Nobody is calling back." in staff_client.get(page_of(caller)).content.decode()
    html = act(staff_client, caller, "claim")
    assert "You are calling back until" in html
    assert caller.claimed_by == staff
    listed = staff_client.get(reverse("admin:calls_missedcaller_changelist")).content.decode()
    assert f"{staff}" in listed.partition('field-calling_back">')[2][:40]
    act(staff_client, caller, "release")
    assert caller.claimed_by is None
    with all_tenants():
        done = [
            entry.changes["action"][1]
            for entry in AuditEntry.objects.filter(table_name="missed_callers").order_by("id")
        ]
    assert done == ["claim", "release"]


def test_claim_of_a_colleague_is_not_taken(staff_client, acme, caller):
    carla = UserFactory(company=acme, role="csr", first_name="Carla", last_name="Reed")
    with all_tenants():
        MissedCaller.objects.update(claimed_by=carla, claimed_until=now() + timedelta(minutes=5))
    html = staff_client.get(page_of(caller)).content.decode()
    assert "Carla Reed is calling back until" in html
    assert 'name="claim"' not in html
    assert "Carla Reed is calling back already." in act(staff_client, caller, "claim")
    assert caller.claimed_by == carla


def test_caller_is_reached_and_waits_again(staff_client, staff, caller):
    html = act(staff_client, caller, "reached")
    assert "The caller was reached at" in html
    assert (caller.recovered_by, caller.recovered_user) == ("manual", staff)
    assert "The caller waits again." in act(staff_client, caller, "not_reached")
    assert caller.recovered_at is None


def test_support_calls_back_and_read_only_looks(client, caller):
    url = reverse("admin:calls_missedcaller_act", args=[caller.pk])
    for group, status in (("Set-up", 403), ("Read-only", 403), ("Support", 302)):
        member = UserFactory(company=None, role="", is_staff=True)
        member.groups.add(Group.objects.get(name=group))
        client.force_login(member)
        if group != "Set-up":
            assert (b'name="claim"' in client.get(page_of(caller)).content) == (group == "Support")
        assert client.post(url, {"claim": "1"}).status_code == status


@pytest.mark.parametrize(("pk", "name"), [("9" * 30, "claim"), ("x", "claim"), ("0", "claim"), (None, "other")])
def test_odd_requests_change_nothing(pk, name, staff_client, caller):
    url = reverse("admin:calls_missedcaller_act", args=[pk or caller.pk])
    assert staff_client.post(url, {name: "1"}).status_code == 404
    assert staff_client.get(url).status_code == 405
