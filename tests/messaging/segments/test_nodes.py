"""Conditions of segments: which contacts each one finds, and how it is said."""

from datetime import date, timedelta

import pytest
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.services.contact_fields import columns_of
from messaging.services.segments.compile import contacts_in
from messaging.services.segments.nodes import NODES
from messaging.services.segments.schema import check_definition
from messaging.services.segments.sentence import sentence_of
from tests import factories

DAY = timedelta(days=1)


class People:
    """Contacts of one company by first name, each with something that a condition finds."""

    def __init__(self, company):
        self.company = company
        self.ids = {}
        self.campaign = factories.CampaignFactory(company=company, name="Spring check")

    def add(self, name, **values):
        contact = factories.ContactFactory(company=self.company, first_name=name, **values)
        self.ids[name] = contact.pk
        return contact

    def found_by(self, definition):
        with tenant(self.company.pk):
            check_definition(definition)
            return set(contacts_in(definition, company_id=self.company.pk).values_list("first_name", flat=True))


@pytest.fixture
def people(acme, globex):
    """Ann has a row of everything, a while ago; Bob has it too, but another kind or time; Cid has nothing."""
    people = People(acme)
    old, fresh = now() - 60 * DAY, now() - 5 * DAY
    ann = people.add("Ann", city="Denver", state="CO", postal_code="80202", email="", created_at=old)
    bob = people.add("Bob", city="AURORA", state="Colorado", postal_code="80010", email="bob@x.org", created_at=fresh)
    people.add("Cid", city="", state="UT", email="cid@x.org", created_at=now() - 400 * DAY)
    factories.LeadFactory(contact=ann, status="new", source="website")
    factories.LeadFactory(contact=bob, status="lost", source="call")
    factories.ContactFlagFactory(contact=ann, flag_type="do_not_contact")
    factories.ContactFlagFactory(contact=bob, flag_type="do_not_contact", expires_at=now() - DAY)
    factories.ContactFlagFactory(contact=bob, flag_type="office_number")
    message = {"activity_type": "message"}
    factories.ActivityFactory(contact=ann, direction="incoming", created_at=old, **message)
    factories.ActivityFactory(contact=bob, direction="outgoing", created_at=fresh, **message)
    factories.ActivityFactory(contact=ann, activity_type="note", created_at=fresh)
    factories.CallFactory(contact=ann, status="missed", created_at=old)
    factories.CallFactory(contact=bob, status="lost", created_at=fresh, direction="outgoing")
    factories.AppointmentFactory(contact=ann, status="completed", **at(old))
    factories.AppointmentFactory(contact=bob, status="scheduled", **at(now() + 5 * DAY))
    factories.AppointmentFactory(contact=bob, status="cancelled", **at(old))
    today = date.today()
    factories.InvoiceFactory(contact=ann, status="sent", due_date=today - 60 * DAY)
    factories.InvoiceFactory(contact=bob, status="paid", due_date=today - 60 * DAY)
    factories.CampaignMembershipFactory(contact=ann, campaign=people.campaign, status="replied", sent_at=old)
    factories.CampaignMembershipFactory(contact=bob, campaign=people.campaign)
    people.tags = [factories.TagFactory(company=acme, name=name) for name in ("VIP", "HOA")]
    factories.ContactTagFactory(contact=ann, tag=people.tags[0])
    factories.ContactTagFactory(contact=bob, tag=people.tags[1])
    people.list = factories.ContactListEntryFactory(contact=ann, list__name="Spring mailing").list
    for kind, anns, bobs in (
        ("text", "Side gate", "Front"), ("number", 12.0, 2500.5), ("date", today + 5 * DAY, today - 5 * DAY),
        ("yes_no", True, False), ("choice", "Metal", "Tile"),
    ):  # fmt: skip
        field = factories.ContactFieldFactory(
            company=acme, key=kind, label=f"a {kind}", field_type=kind, options=["Metal", "Tile", "Flat"]
        )
        for contact, value in ((ann, anns), (bob, bobs)):
            factories.ContactFieldValueFactory(contact=contact, field=field, **columns_of(field, value))
    people.field = field
    stranger = factories.ContactFactory(company=globex, first_name="Stranger", city="Denver", state="CO")
    factories.CallFactory(contact=stranger, status="missed", created_at=old)
    return people


def at(start):
    return {"scheduled_start": start, "scheduled_end": start + timedelta(hours=1)}


# A definition, whom it finds, and its sentence.
CASES = [
    ({"all": []}, "Ann Bob Cid", "All contacts."),
    ({"not": {"all": []}}, "", "Contacts who are nobody."),
    ({"not": {"not": {"all": []}}}, "Ann Bob Cid", "Contacts who are anybody."),
    ({"all": [{"all": []}, {"not": {"any": [{"all": []}]}}]}, "", "Contacts who are anybody and are nobody."),
    ({"any": [{"all": []}, {"field": {"name": "city", "is": ["denver"]}}]}, "Ann Bob Cid",
     "Contacts who (are anybody or are in denver)."),
    ({"any": [{"not": {"all": []}}, {"field": {"name": "city", "is": ["denver"]}}]}, "Ann",
     "Contacts who (are nobody or are in denver)."),
    ({"all": [{"not": {"all": []}}, {"field": {"name": "city", "is": ["denver"]}}]}, "",
     "Contacts in denver who are nobody."),
    ({"field": {"name": "city", "is": ["denver"]}}, "Ann", "Contacts in denver."),
    ({"field": {"name": "city", "is": ["Denver", "Aurora"]}}, "Ann Bob", "Contacts in Denver or Aurora."),
    ({"field": {"name": "city", "begins_with": "au"}}, "Bob", "Contacts who have a city that begins with au."),
    ({"field": {"name": "city", "is_empty": True}}, "Cid", "Contacts who have no city."),
    ({"field": {"name": "email", "is_empty": False}}, "Bob Cid", "Contacts who have an email."),
    ({"field": {"name": "state", "is": ["Colorado"]}}, "Ann Bob", "Contacts in Colorado."),
    ({"field": {"name": "state", "is": ["co"]}}, "Ann Bob", "Contacts in co."),
    ({"not": {"field": {"name": "state", "is": ["CO"]}}}, "Cid", "Contacts who are not in CO."),
    (
        {"field": {"name": "postal_code", "begins_with": "802"}},
        "Ann",
        "Contacts who have a postal code that begins with 802.",
    ),
    ({"added": {"within_days": 30}}, "Bob", "Contacts who were added in the last 30 days."),
    ({"added": {"before_days": 30}}, "Ann Cid", "Contacts who were added more than 30 days ago."),
    ({"added": {"since": "2020-01-01"}}, "Ann Bob Cid", "Contacts who were added since 2020-01-01."),
    ({"added": {"before": "2020-01-01"}}, "", "Contacts who were added before 2020-01-01."),
    ({"lead": {}}, "Ann Bob", "Contacts who have a lead."),
    ({"lead": {"status": ["new", "won"]}}, "Ann", "Contacts who have a new or won lead."),
    ({"lead": {"source": ["Call"]}}, "Bob", "Contacts who have a lead with the source Call."),
    ({"not": {"lead": {"status": ["new"]}}}, "Bob Cid", "Contacts who have no new lead."),
    ({"flag": {"type": ["do_not_contact"]}}, "Ann", "Contacts who have the flag do not contact."),
    ({"flag": {"type": ["do_not_contact", "office_number"]}}, "Ann Bob",
     "Contacts who have the flag do not contact or office number."),
    ({"message": {"direction": "incoming"}}, "Ann", "Contacts who wrote a message."),
    ({"message": {"within_days": 30}}, "Bob", "Contacts who wrote or were sent a message in the last 30 days."),
    ({"not": {"message": {"direction": "outgoing", "within_days": 30}}}, "Ann Cid",
     "Contacts who were sent no message in the last 30 days."),
    ({"call": {}}, "Ann Bob", "Contacts who had a call."),
    ({"call": {"status": ["missed", "lost"], "within_days": 30}}, "Bob",
     "Contacts who had a missed or lost call in the last 30 days."),
    ({"call": {"direction": "incoming"}}, "Ann", "Contacts who had an incoming call."),
    ({"not": {"call": {"within_days": 1}}}, "Ann Bob Cid", "Contacts who had no call in the last day."),
    ({"appointment": {"next_days": 7}}, "Bob", "Contacts who have an appointment in the next 7 days."),
    ({"appointment": {"within_days": 90}}, "Ann", "Contacts who had an appointment in the last 90 days."),
    ({"appointment": {"status": ["cancelled"]}}, "Bob", "Contacts who have a cancelled appointment."),
    ({"not": {"appointment": {}}}, "Cid", "Contacts who have no appointment."),
    ({"custom_field": {"key": "text", "is": ["side gate", "x"]}}, "Ann", "Contacts who have a text: side gate or x."),
    ({"custom_field": {"key": "text", "begins_with": "FR"}}, "Bob", "Contacts who have a text that begins with FR."),
    ({"custom_field": {"key": "choice", "is": ["Metal"]}}, "Ann", "Contacts who have a choice: Metal."),
    ({"not": {"custom_field": {"key": "choice", "is": ["Metal"]}}}, "Bob Cid",
     "Contacts who do not have a choice: Metal."),
    ({"custom_field": {"key": "number", "equals": 12}}, "Ann", "Contacts who have a number of 12."),
    ({"custom_field": {"key": "number", "at_least": 12.5}}, "Bob", "Contacts who have a number of at least 12.5."),
    ({"custom_field": {"key": "number", "at_most": 2500.5}}, "Ann Bob",
     "Contacts who have a number of at most 2,500.5."),
    ({"custom_field": {"key": "date", "since": "2020-01-01"}}, "Ann Bob", "Contacts who have a date since 2020-01-01."),
    ({"custom_field": {"key": "date", "before": "2020-01-01"}}, "", "Contacts who have a date before 2020-01-01."),
    ({"custom_field": {"key": "date", "within_days": 10}}, "Bob", "Contacts who have a date in the last 10 days."),
    ({"custom_field": {"key": "date", "next_days": 10}}, "Ann", "Contacts who have a date in the next 10 days."),
    ({"custom_field": {"key": "yes_no", "is_yes": True}}, "Ann", "Contacts who have a yes_no: yes."),
    ({"custom_field": {"key": "yes_no", "is_yes": False}}, "Bob", "Contacts who have a yes_no: no."),
    ({"custom_field": {"key": "number", "is_empty": True}}, "Cid", "Contacts who have no value for a number."),
    ({"not": {"custom_field": {"key": "number", "is_empty": True}}}, "Ann Bob",
     "Contacts who have a value for a number."),
    ({"invoice": {"overdue_days": 30}}, "Ann",
     "Contacts who have an invoice that has been overdue for more than 30 days."),
    ({"invoice": {"overdue_days": 0}}, "Ann", "Contacts who have an overdue invoice."),
    ({"invoice": {"overdue_days": 90}}, "",
     "Contacts who have an invoice that has been overdue for more than 90 days."),
    ({"all": [{"field": {"name": "city", "is": ["Denver"]}}, {"not": {"call": {"within_days": 30}}}]}, "Ann",
     "Contacts in Denver who had no call in the last 30 days."),
    ({"any": [{"lead": {"status": ["lost"]}}, {"not": {"call": {}}}]}, "Bob Cid",
     "Contacts who (have a lost lead or had no call)."),
    ({"not": {"any": [{"lead": {"status": ["lost"]}}, {"not": {"call": {}}}]}}, "Ann",
     "Contacts who (have no lost lead and had a call)."),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "found", "sentence"), CASES, ids=[each[2] for each in CASES])
def test_definition_finds_contacts_and_is_said_in_english(definition, found, sentence, people):
    assert people.found_by(definition) == set(found.split())
    with tenant(people.company.pk):
        assert sentence_of(definition) == sentence


def test_campaign_is_found_by_its_id_and_said_by_its_name(people):
    campaign = people.campaign.pk
    assert people.found_by({"campaign": {"id": campaign}}) == {"Ann", "Bob"}
    replied = {"campaign": {"id": campaign, "status": ["replied"]}}
    assert people.found_by(replied) == {"Ann"}
    assert people.found_by({"not": replied}) == {"Bob", "Cid"}
    with tenant(people.company.pk):
        assert sentence_of({"not": replied}) == (
            "Contacts who were not in the campaign “Spring check” with the status replied."
        )


def test_tag_is_found_by_its_id_and_said_by_its_name(people):
    vip, hoa = (tag.pk for tag in people.tags)
    assert people.found_by({"tag": {"ids": [vip, hoa]}}) == {"Ann", "Bob"}
    assert people.found_by({"not": {"tag": {"ids": [vip]}}}) == {"Bob", "Cid"}
    with tenant(people.company.pk):
        assert sentence_of({"tag": {"ids": [vip, hoa]}}) == "Contacts who have the tag VIP or HOA."
        assert sentence_of({"not": {"tag": {"ids": [vip]}}}) == "Contacts who do not have the tag VIP."


def test_static_list_is_found_by_its_id_and_said_by_its_name(people):
    listed = {"list": {"id": people.list.pk}}
    assert people.found_by(listed) == {"Ann"}
    assert people.found_by({"not": listed}) == {"Bob", "Cid"}
    with tenant(people.company.pk):
        assert sentence_of(listed) == "Contacts who are on the list “Spring mailing”."
        # A sentence may put a place first.
        assert sentence_of({"not": listed}) == "Contacts who are not on the list “Spring mailing”."


def test_list_of_contacts_is_found_by_their_ids(people):
    definition = {"contacts": {"ids": [people.ids["Ann"], people.ids["Cid"]]}}
    assert people.found_by(definition) == {"Ann", "Cid"}
    with tenant(people.company.pk):
        assert sentence_of(definition) == "Contacts who are on a list of 2 contacts."


@pytest.mark.parametrize("kind", ["tag", "list", "custom_field", "campaign"])
def test_row_deleted_while_the_segment_was_saved_chooses_nobody(kind, people):
    """Nor does its negation: “not tagged” would choose everybody."""
    draft = factories.CampaignFactory(company=people.company)  # those with members can't be deleted
    rows = {
        "tag": (people.tags[0], {"ids": [people.tags[0].pk, people.tags[1].pk]}),
        "list": (people.list, {"id": people.list.pk}),
        "custom_field": (people.field, {"key": "choice", "is_empty": True}),
        "campaign": (draft, {"id": draft.pk}),
    }
    row, value = rows[kind]
    with tenant(people.company.pk):
        row.delete()
        chosen = {
            name: set(contacts_in(definition, company_id=people.company.pk).values_list("first_name", flat=True))
            for name, definition in {
                "plain": {kind: value},
                "not": {"not": {kind: value}},
                "beside another": {"any": [{"not": {kind: value}}, {"field": {"name": "city", "is": ["Denver"]}}]},
            }.items()
        }
    left = {"Bob"} if kind == "tag" else set()  # who has the other tag
    assert chosen == {"plain": left, "not": set(), "beside another": {"Ann"}}


def test_every_kind_of_condition_has_a_case():
    def kinds(definition):
        [(name, value)] = definition.items()
        parts = value if name in ("all", "any") else [value] if name == "not" else ()
        return {name}.union(*map(kinds, parts))

    by_id = {"campaign", "contacts", "list", "tag"}
    assert set().union(*(kinds(definition) for definition, _, _ in CASES)) | by_id == {"all", "any", "not", *NODES}
