"""The page of a contact in the admin: its story, and what staff can do."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry
from tests.count_queries import CountQueries
from tests.factories import (
    ActivityFactory,
    AppointmentFactory,
    CallFactory,
    ContactFactory,
    ContactFlagFactory,
    ContactTagFactory,
    ConversationFactory,
    InvoiceFactory,
    MessageFactory,
    UserFactory,
)

pytestmark = pytest.mark.usefixtures("staff_client")


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme, phone="+13035550142", first_name="Robin", timezone="America/New_York")


def show(client, contact):
    return client.get(reverse("admin:crm_contact_change", args=[contact.pk])).content.decode()


def join(client, group):
    user = UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)


def fill(contact, number=1):
    """Give the contact rows of every kind that the page shows."""
    for each in range(number):
        at = now() - timedelta(hours=each)
        user = UserFactory(company=contact.company)
        conversation = ConversationFactory(contact=contact, assignee=user)
        for kind, direction in (("message", "incoming"), ("call", "incoming"), ("note", "")):
            activity = ActivityFactory(
                contact=contact, conversation=conversation, activity_type=kind, direction=direction, user=user,
                created_at=at, body="Has a dog.",
            )  # fmt: skip
            if kind == "message":
                MessageFactory(contact=contact, activity=activity, direction="incoming", created_at=at)
            if kind == "call":
                CallFactory(contact=contact, activity=activity, created_at=at)
        AppointmentFactory(contact=contact, assigned_rep=UserFactory(company=contact.company, role="rep"))
        InvoiceFactory(contact=contact)


def test_page_shows_what_happened_and_what_is_due(client, contact, globex):
    fill(contact)
    stranger = ContactFactory(company=globex, first_name="Olga", last_name="Stranger")
    InvoiceFactory(contact=stranger, number="INV-STRANGE")
    html = show(client, contact)
    story = html.partition('class="story"')[2].partition("story-form")[0]
    for shown in ("Message", "Call", "Note", "Has a dog.", "1,250.00 USD", "2026-03-02 09:00 MST"):
        assert shown in story, shown
    assert "(America/New_York)" in story
    assert "INV-STRANGE" not in html


def test_page_of_a_contact_who_said_stop_says_so(client, contact):
    ContactFlagFactory(contact=contact, flag_type="opted_out")
    ContactFlagFactory(contact=contact, flag_type="do_not_contact")
    ContactFlagFactory(contact=contact, flag_type="office_number", expires_at=now() - timedelta(days=1))
    ContactTagFactory(contact=contact, tag__name="<VIP>")
    html = show(client, contact)
    badges = re.search(r'class="badges">(.*?)</p>', html, re.DOTALL).group(1)
    assert re.findall(r">([^<]+)</span>", badges)[:3] == ["STOP", "Do not contact", "&lt;VIP&gt;"]
    found = client.get(reverse("admin:crm_contact_changelist")).content.decode()
    assert ">STOP</span>" in found


def test_opt_out_under_review_is_no_stop_yet(client, contact):
    ContactFlagFactory(contact=contact, flag_type="opted_out", review_state="pending")
    html = show(client, contact)
    assert ">May have opted out<" in html
    assert ">STOP<" not in html


def test_actions_are_those_that_the_staff_group_may_do(client, contact):
    def actions():
        part = re.search(r'class="story-actions">(.*?)</p>', show(client, contact), re.DOTALL)
        return re.findall(r">([^<]+)</a>", part.group(1)) if part else []

    join(client, "Support")
    assert actions() == [
        "Text",
        "Book an appointment",
        "Add a note",
        "Add a task",
        "Flag",
        "Files",
        "Merge",
        "Export or erase",
    ]
    join(client, "Read-only")
    assert actions() == []


def test_links_to_flag_and_book_begin_with_the_contact(client, contact):
    for page in ("crm_contactflag", "calls_appointment"):
        html = client.get(f"{reverse(f'admin:{page}_add')}?contact={contact.pk}").content.decode()
        assert re.search(rf'<option value="{contact.pk}" selected', html), page
        assert re.search(rf'<option value="{contact.company_id}" selected', html), page


def test_personal_data_are_exported_and_the_export_is_recorded(client, contact, acme, staff):
    ActivityFactory(contact=contact, body="Has a dog.")
    url = reverse("admin:contact_privacy", args=[contact.pk])
    assert f"manage.py erase_contact acme {contact.phone}" in client.get(url).content.decode()
    response = client.post(url)
    assert response["Content-Disposition"] == f'attachment; filename="contact-{contact.pk}.json"'
    assert json.loads(response.content)["activities"][0]["body"] == "Has a dog."
    with all_tenants():
        entry = AuditEntry.objects.get(action="export")
    assert (entry.company, entry.actor, entry.changes["contact"]) == (acme, staff.username, [None, contact.pk])


def test_personal_data_are_for_staff_who_may_change_contacts(client, contact):
    url = reverse("admin:contact_privacy", args=[contact.pk])
    join(client, "Read-only")
    assert (client.get(url).status_code, client.post(url).status_code) == (403, 403)
    join(client, "Support")
    assert (client.get(url).status_code, client.post(url).status_code) == (200, 200)
    assert client.get(reverse("admin:contact_privacy", args=[10**6])).status_code == 404


def test_page_takes_at_most_20_queries(client, contact):
    ContactTagFactory(contact=contact)
    ContactFlagFactory(contact=contact)
    join(client, "Support")

    def count():
        with CountQueries() as asked:
            show(client, contact)
        return len(asked)

    fill(contact)
    count()
    before = count()
    fill(contact, 7)
    assert count() == before <= 20
