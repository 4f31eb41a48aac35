"""Companions: what a row shows of the contact, the users, the phone line and the campaign that it refers to."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.api.base.companions import Companion
from crm.api.companions import (
    AddressField,
    CampaignNameField,
    ContactSummaryField,
    FlagsField,
    PhoneLineNameField,
    PhonesField,
    UserNameField,
)
from crm.db.tenancy import tenant
from tests import factories
from tests.api.resources import RESOURCES
from tests.api.test_every_list import make_row
from tests.count_queries import CountQueries

START = datetime(2026, 3, 2, 16, tzinfo=UTC)
OF_CONTACT = [resource for resource in RESOURCES if resource.has_contact]
NAMED = {
    "appointments": ["assigned_rep"],
    "calls": ["assigned_rep", "phone_line"],
    "dashboard/calls": ["assigned_rep", "phone_line"],
    "conversations": ["assignee", "phone_line"],
    "missed-calls": ["phone_line"],
    "leads": ["assignee"],
    "tasks": ["assignee"],
    "time-off": ["rep"],
    "campaigns": ["created_by", "phone_line"],
    "campaign-memberships": ["campaign"],
    "contact-flags": ["created_by"],
    "activities": ["user"],
    "held-messages": ["phone_line"],
}


def listed(api, resource):
    return api.get(resource.url).json()["results"]


def single(api, resource, row):
    return api.get(f"{resource.url}/{row.pk}").json()


def shown(api, resource, row):
    """Return the row as the list and, if there is one, the route of a single row show it."""
    [of_list] = [each for each in listed(api, resource) if each["id"] == row.pk]
    if resource.detail:
        assert single(api, resource, row) == of_list
    return of_list


@pytest.mark.parametrize("resource", OF_CONTACT, ids=str)
def test_row_shows_its_contact_in_short(resource, manager_api, acme):
    contact = factories.ContactFactory(company=acme, first_name="Casey", last_name="Jones")
    for flag_type in ("opted_out", "office_number"):
        factories.ContactFlagFactory(contact=contact, flag_type=flag_type)
    factories.ContactFlagFactory(contact=contact, flag_type="invalid_number", expires_at=START)
    values = {"flag_type": "do_not_contact"} if resource.route == "contact-flags" else {}
    row = make_row(resource, acme, contact=contact, **values)
    flags = ["do_not_contact"] if values else []
    assert shown(manager_api, resource, row)["contact_summary"] == {
        "id": contact.pk,
        "name": "Casey Jones",
        "phone": contact.phone,
        "flags": sorted([*flags, "office_number", "opted_out"]),
        "opted_out": True,
    }


@pytest.mark.parametrize("opted_out", [True, False])
def test_contact_shows_its_flags_in_force(opted_out, manager_api, acme):
    contact, flags = factories.ContactFactory(company=acme), ["office_number", *(["opted_out"] if opted_out else [])]
    for flag_type in flags:
        factories.ContactFlagFactory(contact=contact, flag_type=flag_type)
    factories.ContactFlagFactory(contact=contact, flag_type="invalid_number", expires_at=START)
    factories.ContactFlagFactory(contact__company=acme)
    [resource] = [each for each in RESOURCES if each.route == "contacts"]
    found = shown(manager_api, resource, contact)
    assert (found["flags"], found["opted_out"]) == (flags, opted_out)


def test_contact_without_flags_shows_none(manager_api, acme):
    [resource] = [each for each in RESOURCES if each.route == "contacts"]
    found = shown(manager_api, resource, factories.ContactFactory(company=acme))
    assert (found["flags"], found["opted_out"]) == ([], False)


def test_row_without_a_contact_has_no_summary(manager_api, acme):
    call = factories.CallFactory(contact=None, company=acme)
    [resource] = [each for each in RESOURCES if each.route == "calls"]
    assert shown(manager_api, resource, call)["contact_summary"] is None


def test_opt_out_shows_the_contact_that_has_the_number_now(manager_api, acme):
    contact = factories.ContactFactory(company=acme)
    opt_out = factories.OptOutFactory(company=acme, phone=contact.phone)
    [resource] = [each for each in RESOURCES if each.route == "opt-outs"]
    assert shown(manager_api, resource, opt_out)["contact_summary"]["id"] == contact.pk


@pytest.mark.parametrize("resource", [each for each in RESOURCES if each.route in NAMED], ids=str)
def test_row_names_what_it_refers_to(resource, manager_api, acme):
    user = factories.UserFactory(company=acme, role="rep", first_name="Ralph", last_name="Reed", is_active=False)
    values = {
        "phone_line": factories.PhoneLineFactory(company=acme, name="Front desk"),
        "campaign": factories.CampaignFactory(company=acme, name="Spring check"),
        **dict.fromkeys(("assigned_rep", "assignee", "created_by", "rep", "user"), user),
    }
    names = NAMED[resource.route]
    row = make_row(resource, acme, **{name: values[name] for name in names})
    texts = {"phone_line": "Front desk", "campaign": "Spring check"}
    found = shown(manager_api, resource, row)
    assert {name: found[f"{name}_name"] for name in names} == {name: texts.get(name, "Ralph Reed") for name in names}


def test_name_of_a_user_is_the_user_name_and_of_a_line_its_number_if_they_have_no_other(manager_api, acme):
    user = factories.UserFactory(company=acme, username="carla")
    line = factories.PhoneLineFactory(company=acme, name="")
    row = factories.CallFactory(contact=factories.ContactFactory(company=acme), assigned_rep=user, phone_line=line)
    found = manager_api.get(f"/api/v1/calls/{row.pk}").json()
    assert (found["assigned_rep_name"], found["phone_line_name"]) == ("carla", line.number)


def test_appointment_shows_the_address(manager_api, acme):
    contact = factories.ContactFactory(
        company=acme, address="12 Oak St", city="Denver", state="CO", postal_code="80202"
    )
    row = factories.AppointmentFactory(contact=contact)
    assert manager_api.get(f"/api/v1/appointments/{row.pk}").json()["address"] == "12 Oak St, Denver, CO 80202"


def test_answers_to_a_change_have_the_companions(manager_api, rep, acme):
    contact = factories.ContactFactory(company=acme, first_name="Casey", last_name="Jones")
    body = {"contact": contact.pk, "scheduled_start": "2026-05-04T16:00:00Z", "scheduled_end": "2026-05-04T17:00:00Z"}
    made = manager_api.post("/api/v1/appointments", body).json()
    changed = manager_api.patch(f"/api/v1/appointments/{made['id']}", {"assigned_rep": rep.pk}).json()
    assert made["contact_summary"]["name"] == changed["contact_summary"]["name"] == "Casey Jones"
    assert (made["assigned_rep_name"], changed["assigned_rep_name"]) == (None, "ralph")


def test_companion_cannot_be_written(manager_api, acme):
    row = factories.CallFactory(contact=factories.ContactFactory(company=acme))
    answer = manager_api.patch(f"/api/v1/calls/{row.pk}", {"contact_summary": None})
    assert answer.status_code == 400
    assert "contact_summary" in answer.content.decode()


# --- What a user may not see ------------------------------------------------------------------------------------------


def flagged_contact(company):
    return factories.ContactFlagFactory(contact__company=company).contact


@pytest.mark.parametrize(
    ("companion", "row_factory"),
    [
        (AddressField(), factories.ContactFactory),
        (CampaignNameField(), factories.CampaignFactory),
        (FlagsField(), flagged_contact),
        (ContactSummaryField(), factories.ContactFactory),
        (PhoneLineNameField(), factories.PhoneLineFactory),
        (PhonesField("id"), factories.ContactFactory),
        (UserNameField("user"), factories.UserFactory),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Companion) else "",
)
def test_companion_finds_nothing_of_another_company(companion, row_factory, manager, acme, globex):
    own, foreign = row_factory(company=acme).pk, row_factory(company=globex).pk
    with tenant(acme.pk):
        assert set(companion.load({own, foreign}, manager)) == {own}


@pytest.mark.parametrize(
    "companion", [AddressField(), ContactSummaryField(), FlagsField()], ids=["address", "summary", "flags"]
)
def test_companion_shows_a_rep_own_contacts_only(companion, rep, acme):
    own, other = (flagged_contact(acme) for _ in range(2))
    factories.CallFactory(contact=own, assigned_rep=rep)
    factories.CallFactory(contact=other)
    with tenant(acme.pk):
        assert set(companion.load({own.pk, other.pk}, rep)) == {own.pk}


# --- Conversations ----------------------------------------------------------------------------------------------------


@pytest.fixture
def conversation(acme):
    return factories.ConversationFactory(contact=factories.ContactFactory(company=acme))


def add_message(conversation, hours, **values):
    at = START + timedelta(hours=hours)
    return factories.MessageFactory(
        contact=conversation.contact,
        phone_line=conversation.phone_line,
        created_at=at,
        activity__created_at=at,
        activity__conversation=conversation,
        **values,
    )


def test_conversation_shows_its_last_message(manager_api, conversation):
    other = factories.ConversationFactory(contact=conversation.contact)
    last = add_message(conversation, 2, body="x" * 500, direction="outgoing", kind="reply", status="delivered")
    add_message(conversation, 1)
    add_message(other, 3)
    factories.ActivityFactory(
        contact=conversation.contact, conversation=conversation, created_at=START + timedelta(hours=4)
    )
    [resource] = [each for each in RESOURCES if each.route == "conversations"]
    assert shown(manager_api, resource, conversation)["last_message"] == {
        "id": last.pk,
        "body": "x" * 160,
        "direction": "outgoing",
        "status": "delivered",
        "at": "2026-03-02T18:00:00Z",
    }


def test_last_of_messages_of_one_instant_is_the_one_recorded_last(manager_api, conversation):
    add_message(conversation, 1)
    last = add_message(conversation, 1)
    answer = manager_api.get(f"/api/v1/conversations/{conversation.pk}").json()
    assert answer["last_message"]["id"] == last.pk


def test_conversation_without_a_message_has_no_last_one(manager_api, conversation):
    answer = manager_api.get(f"/api/v1/conversations/{conversation.pk}").json()
    assert (answer["last_message"], answer["unread"]) == (None, 0)


# --- Campaigns --------------------------------------------------------------------------------------------------------


def test_campaign_shows_its_progress_by_every_status(manager_api, acme):
    campaign, other = (factories.CampaignFactory(company=acme) for _ in range(2))
    for status in ("pending", "pending", "failed"):
        contact = factories.ContactFactory(company=acme)
        factories.CampaignMembershipFactory(campaign=campaign, contact=contact, status=status)
    [resource] = [each for each in RESOURCES if each.route == "campaigns"]
    progress = shown(manager_api, resource, campaign)["progress"]
    assert {status: number for status, number in progress.items() if number} == {"pending": 2, "failed": 1}
    assert set(progress.values()) == {0, 1, 2}
    assert set(shown(manager_api, resource, other)["progress"].values()) == {0}


def test_page_of_conversations_takes_the_same_statements_for_any_number(manager_api, manager, acme):
    costs = []
    for more in (1, 5):
        for _ in range(more):
            contact = factories.ContactFactory(company=acme)
            each = factories.ConversationFactory(contact=contact, assignee=manager)
            add_message(each, 1)
        with CountQueries() as queries:
            manager_api.get("/api/v1/conversations")
        costs.append(len(queries))
    assert costs == [7, 7]  # conversations, contacts, lines, users, two of last messages, unread
