"""Property: a merge that is undone at once leaves every table as it was, whatever the two contacts' history."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from calls.models import MissedCaller
from crm.choices import FlagType, MembershipStatus
from crm.models import (
    Campaign,
    CampaignMembership,
    Contact,
    ContactListEntry,
    ContactMerge,
    ContactTag,
    Conversation,
    DuplicateCandidate,
    MarketingConsent,
)
from crm.models.campaigns import SENT
from crm.services.contact_numbers import add_number
from crm.services.contacts import update_contact
from crm.services.merging.merge import merge_contacts
from crm.services.merging.undo import undo_merge
from crm.services.opt_outs import flag_possible_opt_out, record_opt_in, record_opt_out
from tests import factories
from tests.crm.merging.scene import add_history, differences, minutes, read_tables, rows_of_contact

pytestmark = pytest.mark.django_db
STEPS = 20


class History:
    """Random events of a few contacts who share two lines and two campaigns."""

    def __init__(self, company, seed):
        self.random = random.Random(seed)  # noqa: S311  # a test's history
        self.company = company
        self.lines = [factories.PhoneLineFactory(company=company) for _ in range(2)]
        self.campaigns = [factories.CampaignFactory(company=company, status="running") for _ in range(2)]
        self.colleague = factories.UserFactory(company=company)
        self.tags = [factories.TagFactory(company=company) for _ in range(2)]
        self.fields = [factories.ContactFieldFactory(company=company) for _ in range(2)]
        self.lists = [factories.ContactListFactory(company=company) for _ in range(2)]
        self.contacts = [
            factories.ContactFactory(company=company, first_name=name, last_name=last, email=email)
            for name, last, email in (("Robin", "", ""), ("Robin", "Field", "robin@example.com"), ("", "Stone", ""))
        ]

    def go_on(self):
        for _ in range(STEPS):
            contact = Contact.objects.get(pk=self.random.choice(self.contacts).pk)
            self.random.choice(
                [self.talk, self.flag, self.opt_out, self.opt_in, self.suspect, self.join_campaign, self.miss,
                 self.add_number, self.rename, self.invoice, self.consent, self.label, self.list, self.task,
                 self.snooze, self.schedule, self.suspect_duplicate]
            )(contact)  # fmt: skip

    def talk(self, contact):
        line = self.random.choice(self.lines)
        if not Conversation.objects.filter(contact=contact, phone_line=line).exists():
            flags = contact.flags.values_list("flag_type", flat=True)
            if not flags:
                add_history(contact, line, at=-1_500 * self.random.randrange(1, 1_000))

    def flag(self, contact):
        kind = self.random.choice([FlagType.DO_NOT_CONTACT, FlagType.INVALID_NUMBER])
        if not contact.flags.filter(flag_type=kind, expires_at=None).exists():
            expires = self.random.choice([None, timezone.now() + timedelta(days=1), minutes(0)])
            factories.ContactFlagFactory(contact=contact, flag_type=kind, expires_at=expires)

    def opt_out(self, contact):
        record_opt_out(phone=contact.phone, words="STOP", source="sms", occurred_at=timezone.now())

    def opt_in(self, contact):
        record_opt_in(phone=contact.phone, words="START", source="sms", occurred_at=timezone.now())

    def suspect(self, contact):
        flag_possible_opt_out(phone=contact.phone, words="hmm", source="sms", occurred_at=timezone.now())

    def join_campaign(self, contact):
        campaign, step = self.random.choice(self.campaigns), self.random.choice([1, 2])
        if CampaignMembership.objects.filter(campaign=campaign, contact=contact, step=step).exists():
            return
        status = self.random.choice(list(MembershipStatus))
        membership = factories.CampaignMembershipFactory(
            campaign=campaign, contact=contact, step=step, status=status,
            sent_at=minutes(0) if status in SENT else None,
        )  # fmt: skip
        if self.random.random() < 0.6:
            queued = status in ("pending", "sending")
            factories.MessageFactory(
                contact=contact, membership=membership, direction="outgoing", kind="campaign",
                phone_line=campaign.phone_line, status="queued" if queued else "sent", to_numbers=[contact.phone],
                run_at=minutes(0) if queued else None,
            )  # fmt: skip

    def miss(self, contact):
        at = minutes(self.random.randrange(1000))
        if not MissedCaller.objects.filter(contact=contact, recovered_at=None).exists():
            text_back = self.random.choice(["off", "due", "queued"])
            factories.MissedCallerFactory(contact=contact, first_missed_at=at, text_back=text_back)

    def add_number(self, contact):
        phone = factories.fictional_number(self.random.randrange(3_000))
        add_number(contact=contact, phone=phone, is_main=self.random.random() < 0.5)

    def rename(self, contact):
        update_contact(contact=contact, first_name=self.random.choice(["Robin", "Rob", ""]), city="Denver")

    def invoice(self, contact):
        factories.InvoiceFactory(contact=contact)

    def consent(self, contact):
        if not MarketingConsent.objects.filter(phone=contact.phone).exists():
            factories.MarketingConsentFactory(company=self.company, phone=contact.phone)

    def label(self, contact):
        tag, field = self.random.choice(self.tags), self.random.choice(self.fields)
        ContactTag.objects.get_or_create(company=self.company, contact=contact, tag=tag)
        if not contact.field_values.filter(field=field).exists():
            number = float(self.random.randrange(3))
            factories.ContactFieldValueFactory(contact=contact, field=field, number=number)

    def list(self, contact):
        entry = {"company": self.company, "contact": contact, "list": self.random.choice(self.lists)}
        ContactListEntry.objects.get_or_create(**entry)

    def task(self, contact):
        factories.TaskFactory(contact=contact)

    def snooze(self, contact):
        until = self.random.choice([None, timezone.now() + timedelta(days=1)])
        own = Conversation.objects.filter(contact=contact)
        own.update(status="snoozed", snoozed_until=until, assignee=self.random.choice([None, self.colleague]))

    def schedule(self, contact):
        at = timezone.now() + timedelta(days=self.random.randrange(1, 9))
        factories.MessageFactory(
            contact=contact, direction="outgoing", kind="scheduled", status=self.random.choice(["queued", "held"]),
            phone_line=self.lines[0], to_numbers=[contact.phone], run_at=at, send_at=at,
            hold_if_reply=self.random.random() < 0.5,
        )  # fmt: skip

    def suspect_duplicate(self, contact):
        first, second = sorted(self.random.sample([each.pk for each in self.contacts], 2))
        if not DuplicateCandidate.objects.filter(first=first, second=second).exists():
            state = self.random.choice(["open", "not_the_same"])
            factories.DuplicateCandidateFactory(
                company=self.company, first=Contact(pk=first), second=Contact(pk=second), state=state,
                decided_at=minutes(0) if state != "open" else None,
            )  # fmt: skip

    def choose_fields(self):
        names = ("first_name", "email", "phone", "city", *(f"field:{field.key}" for field in self.fields))
        return {name: self.random.choice(["kept", "gone"]) for name in names if self.random.random() < 0.4}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_merge_undone_at_once_changes_nothing(in_acme, seed):
    history = History(in_acme, seed)
    history.go_on()
    kept, gone = history.random.sample(history.contacts, 2)
    before = read_tables(in_acme)
    merged = merge_contacts(kept=kept, gone=gone, user=None, fields=history.choose_fields())
    assert rows_of_contact(gone) == {}
    undone = undo_merge(merge=ContactMerge.objects.get(pk=merged.pk), user=None)
    assert undone.not_restored == []
    assert differences(before, read_tables(in_acme)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_merges_undone_in_reverse_order_change_nothing(in_acme, seed):
    history = History(in_acme, seed)
    history.go_on()
    first, second, third = history.random.sample(history.contacts, 3)
    before = read_tables(in_acme)
    merges = [merge_contacts(kept=first, gone=second, user=None, fields=history.choose_fields())]
    pair = (first, third) if history.random.random() < 0.5 else (third, first)
    kept, gone = (Contact.objects.get(pk=contact.pk) for contact in pair)
    merges.append(merge_contacts(kept=kept, gone=gone, user=None, fields=history.choose_fields()))
    for merged in reversed(merges):
        undo_merge(merge=ContactMerge.objects.get(pk=merged.pk), user=None)
    assert differences(before, read_tables(in_acme)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 206))
def test_history_goes_on_after_a_merge_and_after_its_undoing(in_acme, seed):
    """Each row refers to one of the contacts that are there, and activities are in their contact's conversations."""
    history = History(in_acme, seed)
    history.go_on()
    kept, gone = history.random.sample(history.contacts, 2)
    merged = merge_contacts(kept=kept, gone=gone, user=None)
    history.contacts.remove(gone)
    history.go_on()
    assert rows_of_contact(gone) == {}
    undo_merge(merge=ContactMerge.objects.get(pk=merged.pk), user=None)
    history.contacts.append(gone)
    history.go_on()
    for conversation in Conversation.objects.all():
        assert set(conversation.activities.values_list("contact", flat=True)) <= {conversation.contact_id}
    assert Contact.objects.count() == len(history.contacts)
    assert Campaign.objects.count() == len(history.campaigns)
