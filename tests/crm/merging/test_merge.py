"""Merges of two contacts: what happens to the rows of each table."""

import pytest
from django.core.checks import run_checks

from calls.models import Appointment, Call, MissedCaller
from crm.db.tenancy import all_tenants
from crm.models import (
    Activity,
    AuditEntry,
    CampaignMembership,
    Contact,
    ContactFlag,
    ContactMerge,
    ContactPhone,
    ContactSearchKey,
    Conversation,
    MarketingConsent,
    OptOut,
)
from crm.services.contacts import find_contact
from crm.services.merging import rules
from crm.services.merging.fields import FieldRefused
from crm.services.merging.merge import NotMergeable, merge_contacts
from crm.services.merging.tombstones import AlreadyMerged
from crm.services.merging.undo import undo_merge
from crm.services.opt_outs import opt_out_contact
from messaging.models import Message
from messaging.providers.events import MessageEvent
from messaging.services.inbound.webhook_processing import record_event
from tests import factories
from tests.crm.merging.scene import add_history, minutes, rows_of_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(in_acme):
    return factories.PhoneLineFactory(company=in_acme)


@pytest.fixture
def kept(in_acme):
    return factories.ContactFactory(company=in_acme, first_name="Robin", last_name="Field", email="")


@pytest.fixture
def gone(in_acme):
    return factories.ContactFactory(company=in_acme, first_name="Robin", last_name="Field", email="robin@example.com")


def text_of(phone, line):
    return MessageEvent(
        openphone_id="AC1", line_id=line.provider_id, company_numbers=(line.number,), outside_numbers=(phone,),
        direction="incoming", created_at=minutes(90), from_number=phone, to_numbers=(line.number,), body="Hello",
        media=(), status="received",
    )  # fmt: skip


def merge(kept, gone, user=None, **fields):
    return merge_contacts(kept=kept, gone=gone, user=user, fields=fields)


def test_every_model_that_refers_to_a_contact_has_a_rule():
    assert rules.referring_models() <= rules.rules().keys()
    assert [error for error in run_checks() if error.id == "crm.E004"] == []


def test_foreign_key_without_a_rule_is_reported(monkeypatch):
    monkeypatch.delitem(rules._rules, Call)
    [error] = rules.every_model_has_a_rule()
    assert "calls.Call" in error.msg


def test_unique_key_with_a_contact_has_a_rule_that_joins():
    """A rule that only moves rows would fail at a second row with an equal key."""
    for model, rule in rules.rules().items():
        keys = [
            constraint
            for constraint in model._meta.constraints
            if "contact" in getattr(constraint, "fields", ()) and "pk" not in constraint.fields
        ]
        assert not (keys and type(rule) is rules.Move), model


def test_rows_of_every_table_move(line, kept, gone):
    for contact, at in ((kept, 0), (gone, 10)):
        add_history(contact, line, at=at)
        factories.CampaignMembershipFactory(contact=contact)
        factories.MissedCallerFactory(contact=contact, phone_line=line)
    before = {table: rows_of_contact(kept).get(table, 0) + n for table, n in rows_of_contact(gone).items()}
    merged = merge(kept, gone)
    assert rows_of_contact(gone) == {}
    joined = {"conversations": 1, "missed_callers": 1, "contact_search_keys": 3, "merges": 1}
    after = rows_of_contact(kept)
    assert after == before | joined | {"contact_search_keys": after["contact_search_keys"]}
    assert merged.counts["calls"] == 1
    assert not Contact.objects.filter(pk=gone.pk).exists()


def test_numbers_are_united_and_lead_to_the_kept_contact(kept, gone):
    phone = gone.phone
    merge(kept, gone)
    assert find_contact(phone=phone) == kept
    assert ContactPhone.objects.filter(contact=kept).count() == 2
    kept.refresh_from_db()
    assert kept.phone != phone


def test_no_number_seems_to_be_another_contact_s_main_number_afterwards(kept, gone):
    merge(kept, gone)
    assert not ContactPhone.objects.filter(is_main_elsewhere=True).exists()


def test_consent_of_the_chosen_main_number_is_linked_to_its_contact_and_back(in_acme, kept, gone):
    consents = [factories.MarketingConsentFactory(company=in_acme, phone=each.phone) for each in (kept, gone)]
    links = MarketingConsent.objects.order_by("pk").values_list("main_contact_id", flat=True)
    merged = merge(kept, gone, phone="gone")
    assert list(links.filter(pk__in=[each.pk for each in consents])) == [None, kept.pk]
    undo_merge(merge=ContactMerge.objects.get(pk=merged.pk), user=None)
    assert list(links) == [kept.pk, gone.pk]


def test_blank_fields_are_filled_and_others_stay(kept, gone):
    merge(kept, gone)
    kept.refresh_from_db()
    assert (kept.first_name, kept.email) == ("Robin", "robin@example.com")
    assert kept.keyed_text == kept.searched_text
    assert ContactSearchKey.objects.filter(contact=kept, key="robin@example.com").exists()


def test_half_an_address_is_not_filled_from_another_address(in_acme):
    kept = factories.ContactFactory(company=in_acme, city="Denver", address="1 Elm St")
    gone = factories.ContactFactory(company=in_acme, city="Boulder", address="2 Oak St", postal_code="80301")
    merge(kept, gone)
    kept.refresh_from_db()
    assert (kept.city, kept.address, kept.postal_code) == ("Denver", "1 Elm St", "")


def test_fields_choose_a_side_or_a_value(kept, gone):
    merge(kept, gone, first_name="Rob", last_name="gone", email="kept", phone="gone", city="Denver")
    kept.refresh_from_db()
    assert (kept.first_name, kept.last_name, kept.email, kept.city) == ("Rob", gone.last_name, "", "Denver")
    assert kept.phone == gone.phone


@pytest.mark.parametrize(
    "fields", [{"phone": "+19895550101"}, {"phone": "x"}, {"email": "no"}, {"id": "kept"}, {"first_name": "x" * 101}]
)
def test_field_that_a_contact_can_not_have_is_refused(kept, gone, fields):
    with pytest.raises(FieldRefused):
        merge(kept, gone, **fields)
    assert Contact.objects.filter(pk=gone.pk).exists()


def test_conversations_of_one_line_are_joined(line, kept, gone):
    mine = add_history(kept, line, at=0)
    other = add_history(gone, line, at=30)
    Conversation.objects.filter(pk=other.pk).update(status="waiting")
    merge(kept, gone)
    joined = Conversation.objects.get()
    assert (joined, joined.contact, joined.status) == (mine, kept, "waiting")
    assert (joined.created_at, joined.last_activity_at) == (minutes(0), minutes(30))
    assert set(Activity.objects.exclude(conversation=None).values_list("conversation", flat=True)) == {mine.pk}


def test_do_not_contact_of_either_side_holds(kept, gone):
    factories.ContactFlagFactory(contact=gone)
    merge(kept, gone)
    assert [flag.contact for flag in ContactFlag.objects.in_force()] == [kept]


def test_of_two_equal_flags_one_ends_and_both_stay_as_evidence(kept, gone):
    mine, other = (factories.ContactFlagFactory(contact=contact) for contact in (kept, gone))
    merge(kept, gone)
    assert list(ContactFlag.objects.in_force()) == [mine]
    assert list(kept.flags.order_by("pk")) == [mine, other]


def test_opt_out_of_the_gone_number_holds_for_the_kept_contact(in_acme, csr, kept, gone):
    campaign = factories.CampaignFactory(company=in_acme)
    factories.CampaignMembershipFactory(campaign=campaign, contact=kept)
    opt_out_contact(contact=gone, user=csr)
    merge(kept, gone)
    assert [flag.flag_type for flag in kept.flags.in_force()] == ["opted_out"]
    assert OptOut.objects.get().phone == gone.phone
    assert CampaignMembership.objects.get().status == "opted_out"


def test_consents_stay_with_their_numbers(in_acme, kept, gone):
    factories.MarketingConsentFactory(company=in_acme, phone=gone.phone)
    merge(kept, gone)
    assert MarketingConsent.objects.with_contact(ContactPhone.objects.all()).get().contact == kept.pk


@pytest.mark.parametrize(
    ("mine", "other", "left"),
    [
        ("pending", "pending", "pending"),
        ("pending", "delivered", "delivered"),
        ("replied", "pending", "replied"),
        ("failed", "sent", "sent"),
        ("sent", "opted_out", "opted_out"),
    ],
)
def test_of_two_memberships_the_further_one_stays(in_acme, kept, gone, mine, other, left):
    campaign = factories.CampaignFactory(company=in_acme)
    for contact, status in ((kept, mine), (gone, other)):
        factories.CampaignMembershipFactory(campaign=campaign, contact=contact, status=status, sent_at=minutes(0))
    merge(kept, gone)
    membership = CampaignMembership.objects.get()
    assert (membership.contact, membership.status) == (kept, left)


def test_person_who_has_answered_gets_no_further_step(in_acme, kept, gone):
    campaign = factories.CampaignFactory(company=in_acme)
    add = factories.CampaignMembershipFactory
    add(campaign=campaign, contact=gone, status="replied", sent_at=minutes(0))
    add(campaign=campaign, contact=kept, status="sent", sent_at=minutes(0))
    add(campaign=campaign, contact=kept, step=2)
    merge(kept, gone)
    assert set(CampaignMembership.objects.values_list("step", "status")) == {(1, "replied"), (2, "skipped")}


def test_text_that_waits_for_the_gone_number_goes_to_the_kept_one(line, kept, gone):
    waiting = {"contact": gone, "phone_line": line, "to_numbers": [gone.phone], "run_at": minutes(0)}
    factories.MessageFactory(direction="outgoing", kind="reply", status="queued", **waiting)
    sent = factories.MessageFactory(direction="outgoing", kind="reply", status="sent", **waiting)
    merge(kept, gone)
    assert [row.to_numbers for row in Message.objects.order_by("pk")] == [[kept.phone], sent.to_numbers]


def test_two_waiting_texts_of_a_campaign_become_one(in_acme, line, kept, gone):
    campaign = factories.CampaignFactory(company=in_acme, phone_line=line)
    for contact in (kept, gone):
        membership = factories.CampaignMembershipFactory(campaign=campaign, contact=contact)
        factories.MessageFactory(
            contact=contact, phone_line=line, membership=membership, direction="outgoing", kind="campaign",
            status="queued", to_numbers=[contact.phone], run_at=minutes(0),
        )  # fmt: skip
    merge(kept, gone)
    assert sorted(Message.objects.values_list("status", flat=True)) == ["failed", "queued"]


def test_open_entries_of_the_missed_queue_become_one(line, kept, gone):
    for contact, at in ((kept, 0), (gone, 30)):
        factories.MissedCallerFactory(
            contact=contact,
            phone_line=line,
            missed_calls=2,
            first_missed_at=minutes(at),
            last_missed_at=minutes(at + 5),
        )  # fmt: skip
    merge(kept, gone)
    entry = MissedCaller.objects.get()
    assert (entry.contact, entry.missed_calls) == (kept, 4)
    assert (entry.first_missed_at, entry.last_missed_at) == (minutes(0), minutes(35))


def test_entry_of_a_person_who_was_reached_as_the_other_contact_is_recovered(line, kept, gone):
    factories.MissedCallerFactory(contact=gone, phone_line=line, first_missed_at=minutes(0), last_missed_at=minutes(0))
    factories.CallFactory(contact=kept, status="unbooked", answered_at=minutes(9), created_at=minutes(9))
    merge(kept, gone)
    entry = MissedCaller.objects.get()
    assert (entry.recovered_at, entry.recovered_by) == (minutes(9), "call")


def test_reminder_goes_with_its_appointment(kept, gone):
    appointment = factories.AppointmentFactory(contact=gone)
    factories.AppointmentReminderFactory(appointment=appointment)
    merge(kept, gone)
    assert Appointment.objects.get().contact == kept


def test_audit_names_who_merged(in_acme, csr_api, csr, kept, gone):
    csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk})
    with all_tenants():
        entry = AuditEntry.objects.filter(table_name="contacts", row_id=gone.pk, action="delete").get()
    assert entry.actor_id == csr.pk


def test_merged_again_is_refused_with_the_contact_that_stayed(kept, gone):
    merge(kept, gone)
    with pytest.raises(AlreadyMerged) as refused:
        merge(kept, gone)
    assert refused.value.facts() == {"merged_into": kept.pk}


def test_contact_is_not_merged_with_itself(kept):
    with pytest.raises(NotMergeable):
        merge(kept, kept)


def test_erased_person_is_not_merged(kept, gone):
    Contact.objects.filter(pk=gone.pk).update(phone=f"erased:{gone.pk}")
    with pytest.raises(NotMergeable):
        merge(kept, gone)


def test_merge_of_a_merged_contact_leads_on(in_acme, kept, gone):
    third = factories.ContactFactory(company=in_acme)
    merge(kept, gone)
    merge(third, kept)
    assert set(ContactMerge.objects.in_force().values_list("gone_id", "kept")) == {
        (gone.pk, third.pk),
        (kept.pk, third.pk),
    }


def test_statements_do_not_grow_with_the_rows(line, kept, gone, django_assert_max_num_queries):
    def add_rows(contact, n):
        for position in range(n):
            campaign = factories.CampaignFactory(company=contact.company)
            factories.CampaignMembershipFactory(campaign=campaign, contact=contact)
            factories.CallFactory(contact=contact, created_at=minutes(position))
            factories.MessageFactory(contact=contact, created_at=minutes(position))

    for contact in (kept, gone):
        add_history(contact, line)
        add_rows(contact, 20)
    with django_assert_max_num_queries(75):
        merge(kept, gone)


def test_event_of_the_gone_number_lands_on_the_kept_contact(line, kept, gone):
    merge(kept, gone)
    record_event(provider="openphone", event=text_of(gone.phone, line))
    assert Message.objects.get().contact == kept
