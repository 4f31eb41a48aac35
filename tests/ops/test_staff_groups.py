"""Groups of staff: what their users can do in the admin."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from calls.models import Appointment
from crm.db.tenancy import all_tenants
from crm.models import Segment
from messaging.models import Message, WebhookEvent
from ops.staff_groups import STAFF_GROUPS, codenames_of, create_staff_groups
from tests import factories
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db


@pytest.fixture(params=STAFF_GROUPS)
def member(request, client):
    """Sign in a staff user of the group."""
    user = factories.UserFactory(company=None, role="", is_staff=True, username="member")
    user.groups.add(Group.objects.get(name=request.param))
    client.force_login(user)
    user.group = request.param
    return user


def join(client, name):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    client.force_login(user)
    return user


def test_migrate_creates_the_groups_with_their_permissions():
    for name in STAFF_GROUPS:
        group = Group.objects.get(name=name)
        assert set(group.permissions.values_list("codename", flat=True)) == codenames_of(name)


def test_migrate_sets_changed_permissions_back():
    group = Group.objects.get(name="Read-only")
    group.permissions.clear()
    other = Group.objects.create(name="Night shift")
    with CountQueries() as queries:
        create_staff_groups()
    assert set(group.permissions.values_list("codename", flat=True)) == codenames_of("Read-only")
    assert not other.permissions.exists()
    assert len(queries) <= 20


def test_support_books_an_appointment_and_read_only_does_not(client, acme):
    contact = factories.ContactFactory(company=acme)
    form = {
        "company": acme.pk, "contact": contact.pk, "status": "scheduled", "timezone": "",
        "scheduled_start_0": "2026-03-03", "scheduled_start_1": "09:00",
        "scheduled_end_0": "2026-03-03", "scheduled_end_1": "10:00",
    }  # fmt: skip
    url = reverse("admin:calls_appointment_add")
    for group, status in (("Read-only", 403), ("Set-up", 403), ("Support", 302)):
        join(client, group)
        assert client.post(url, form).status_code == status
    with all_tenants():
        assert Appointment.objects.count() == 1


def test_support_and_set_up_process_events_again(client, acme):
    event = factories.WebhookEventFactory(company=acme, status="dead")
    url = reverse("admin:messaging_webhookevent_changelist")
    for group, status in (("Read-only", "dead"), ("Support", "pending")):
        join(client, group)
        client.post(url, {"action": "process_again", "_selected_action": [event.pk], "confirmed": event.pk})
        with all_tenants():
            assert WebhookEvent.objects.get().status == status


def test_member_cannot_make_superusers(client, acme):
    join(client, "Set-up")
    user = factories.UserFactory(company=acme)
    form = {"username": user.username, "company": acme.pk, "role": "csr", "is_active": "on", "is_superuser": "on"}
    client.post(reverse("admin:crm_user_change", args=[user.pk]), form | {"is_staff": "on"})
    user.refresh_from_db()
    assert (user.is_superuser, user.is_staff) == (False, False)


@pytest.mark.slow
def test_first_page_takes_no_query_for_each_permission(member, staff, client):
    def count():
        client.get(reverse("admin:index"))
        with CountQueries() as queries:
            assert client.get(reverse("admin:index")).status_code == 200
        return len(queries)

    as_member = count()
    client.force_login(staff)
    assert as_member <= count() + 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_groups_come_with_migrate_on_an_empty_database():
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert set(Group.objects.values_list("name", flat=True)) == set(STAFF_GROUPS)


def campaign_url(campaign, name):
    return reverse(f"admin:crm_campaign_{name}", args=[campaign.pk])


CAMPAIGN_PAGES = {"start": "draft", "pause": "running", "resume": "paused", "cancel": "draft", "audience": "draft",
                  "test_send": "draft"}  # fmt: skip


def test_support_runs_campaigns_and_read_only_sees_them_without_buttons(client, acme):
    line = factories.PhoneLineFactory(company=acme, number="+12125550180")
    campaigns = {
        status: factories.CampaignFactory(company=acme, status=status, phone_line=line, scheduled_at=None)
        for status in ("draft", "running", "paused")
    }
    for group, status in (("Set-up", 403), ("Read-only", 403), ("Support", 200)):
        join(client, group)
        answers = {page: client.get(campaign_url(campaigns[of], page)) for page, of in CAMPAIGN_PAGES.items()}
        assert {answer.status_code for answer in answers.values()} == {status}
        seen = 403 if group == "Set-up" else 200
        for campaign in campaigns.values():
            assert client.get(campaign_url(campaign, "progress")).status_code == seen
            answer = client.get(campaign_url(campaign, "change"))
            assert answer.status_code == seen
            if seen == 200:
                assert bool(answer.context["panel"].links) == (group == "Support")


def test_support_starts_and_pauses_a_campaign_and_read_only_does_not(client, acme):
    line = factories.PhoneLineFactory(company=acme, number="+12125550180")
    draft = factories.CampaignFactory(company=acme, phone_line=line, body="Hello!", scheduled_at=None)
    factories.CampaignMembershipFactory(campaign=draft, contact=factories.ContactFactory(company=acme))

    def act(name):
        client.post(campaign_url(draft, name))
        draft.refresh_from_db()
        return draft.status

    join(client, "Read-only")
    assert act("start") == "draft"
    join(client, "Support")
    assert act("start") == "running"
    join(client, "Read-only")
    assert act("pause") == "running"
    join(client, "Support")
    assert [act(name) for name in ("pause", "resume", "cancel")] == ["paused", "running", "cancelled"]


def test_support_builds_segments_and_read_only_previews_them(client, acme):
    factories.ContactFactory(company=acme)
    form = {"company": acme.pk, "name": "Everybody", "definition": '{"all": []}'}
    for group, status in (("Set-up", 403), ("Read-only", 403), ("Support", 302)):
        join(client, group)
        assert client.post(reverse("admin:crm_segment_add"), form).status_code == status
    with all_tenants():
        segment = Segment.objects.get()
    join(client, "Read-only")
    html = client.get(reverse("admin:crm_segment_change", args=[segment.pk])).content.decode()
    assert 'name="_save"' not in html
    answer = client.post(reverse("admin:crm_segment_preview"), {"company": acme.pk, "definition": '{"all": []}'})
    assert answer.status_code == 200


def test_support_releases_held_messages_and_read_only_does_not(client, acme):
    message = factories.MessageFactory(contact=factories.ContactFactory(company=acme), status="held",
                                       direction="outgoing", kind="reply")  # fmt: skip
    url = reverse("admin:messaging_message_changelist")
    for group, status in (("Read-only", "held"), ("Support", "failed")):
        join(client, group)
        client.post(url, {"action": "cancel", "_selected_action": [message.pk], "confirmed": message.pk})
        with all_tenants():
            assert Message.objects.get().status == status
