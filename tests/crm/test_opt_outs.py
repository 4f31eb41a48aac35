"""Opt-outs and the flags that follow from them."""

import itertools
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.choices import OptOutState
from crm.models import CampaignMembership, Contact, ContactFlag, ContactPhone, OptOut, OptOutEntry
from crm.models.audit import hash_number
from crm.services.contacts import delete_contact, get_or_create_contact, update_contact
from crm.services.opt_outs import (
    NotUnderReview,
    confirm_opt_out,
    dismiss_opt_out,
    flag_possible_opt_out,
    lock_opt_out,
    opt_in_contact,
    opt_out_contact,
    opt_outs_of,
    record_opt_in,
    record_opt_out,
)
from tests.factories import (
    ActivityFactory,
    CampaignMembershipFactory,
    ContactFactory,
    ContactPhoneFactory,
    OptOutFactory,
    fictional_number,
)

PHONE, SECOND = fictional_number(42_000), fictional_number(42_001)
MONDAY = timezone.now() - timedelta(days=9)
RECORDERS = {"STOP": record_opt_out, "START": record_opt_in, "hm": flag_possible_opt_out}


@pytest.fixture
def contact(in_acme):
    return ContactFactory(company=in_acme, phone=PHONE)


def record(word, *, days=0, phone=PHONE, activity=None):
    """Record the word as received `days` after Monday."""
    return RECORDERS[word](
        phone=phone, words=word, source="sms", occurred_at=MONDAY + timedelta(days=days), activity=activity
    )


def state_of(phone=PHONE):
    return OptOut.objects.get(number_hash=hash_number(phone)).state


def flag_of(contact):
    """Return the review state of the flag in force, or None."""
    return contact.flags.opted_out().values_list("review_state", flat=True).first()


def test_stop_is_recorded_with_evidence_and_flags_the_contact(contact):
    message = ActivityFactory(contact=contact, body="Stop!")
    assert record("STOP", activity=message)
    entry = OptOutEntry.objects.get()
    assert (entry.action, entry.words, entry.source, entry.activity) == ("opted_out", "STOP", "sms", message)
    assert (entry.occurred_at, entry.opt_out.decided_at) == (MONDAY, MONDAY)
    flag = contact.flags.get()
    assert (flag.flag_type, flag.review_state, flag.expires_at) == ("opted_out", "confirmed", None)
    assert (flag.source, flag.evidence) == ("sms", "STOP")


def test_possible_opt_out_is_in_force_until_it_is_dismissed(contact):
    assert record("hm")
    assert (state_of(), flag_of(contact)) == ("under_review", "pending")
    opt_out = dismiss_opt_out(opt_out=OptOut.objects.get(), user=None)
    assert (opt_out.state, state_of(), flag_of(contact)) == ("clear", "clear", None)


def test_confirmed_opt_out_keeps_the_time_and_message_of_the_suspicion(contact, csr):
    message = ActivityFactory(contact=contact)
    record("hm", activity=message)
    confirm_opt_out(opt_out=OptOut.objects.get(), user=csr)
    assert (state_of(), flag_of(contact)) == ("opted_out", "confirmed")
    entry = OptOutEntry.objects.get(action="opted_out")
    assert (entry.occurred_at, entry.activity, entry.words) == (MONDAY, message, "hm")
    assert (entry.source, entry.created_by) == ("review", csr)


@pytest.mark.parametrize("review", [confirm_opt_out, dismiss_opt_out])
@pytest.mark.parametrize("word", ["STOP", "START"])
def test_review_needs_an_opt_out_under_review(contact, word, review):
    record(word)
    with pytest.raises(NotUnderReview):
        review(opt_out=OptOut.objects.get(), user=None)
    assert OptOutEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ([("STOP", 1), ("START", 2)], "clear"),
        ([("START", 1), ("STOP", 2)], "opted_out"),
        ([("STOP", 1), ("START", 1)], "opted_out"),
        ([("STOP", 1), ("hm", 2)], "opted_out"),
        ([("hm", 1), ("START", 2)], "clear"),
        ([("START", 1), ("hm", 1)], "under_review"),
        ([("STOP", 1), ("START", 2), ("hm", 3)], "under_review"),
        ([("STOP", 1), ("START", 2), ("STOP", 3)], "opted_out"),
        ([("STOP", 1), ("hm", 2), ("START", 3)], "clear"),
    ],
)
def test_state_does_not_depend_on_the_order_of_arrival(contact, entries, state):
    for order in itertools.permutations(entries):
        OptOutEntry.objects.all().delete()
        OptOut.objects.all().delete()
        contact.flags.all().delete()
        for word, days in order:
            record(word, days=days)
        assert (state_of(), bool(flag_of(contact))) == (state, state != "clear"), order


def test_late_stop_before_a_start_is_recorded_without_effect(contact):
    assert not record("START", days=2)
    assert not record("STOP", days=1)
    assert (state_of(), flag_of(contact)) == ("clear", None)
    assert OptOutEntry.objects.count() == 2


def test_repeated_message_adds_no_entry(contact):
    message = ActivityFactory(contact=contact)
    assert record("STOP", activity=message)
    assert not record("STOP", activity=message)
    assert OptOutEntry.objects.count() == 1


def test_entry_from_the_future_counts_from_now(contact):
    record("START", days=1000)
    record_opt_out(phone=PHONE, words="STOP", source="sms", occurred_at=timezone.now())
    assert state_of() == "opted_out"


def test_dismissal_does_not_cover_messages_that_arrive_later(contact):
    record("hm", days=2)
    dismiss_opt_out(opt_out=OptOut.objects.get(), user=None)
    record("hm", days=1)
    assert state_of() == "under_review"
    dismiss_opt_out(opt_out=OptOut.objects.get(), user=None)
    assert state_of() == "clear"


def test_flag_lasts_until_no_number_of_the_contact_is_opted_out(contact):
    ContactPhoneFactory(contact=contact, phone=SECOND)
    record("STOP")
    record("hm", phone=SECOND)
    assert flag_of(contact) == "confirmed"
    record("START", days=1)
    assert flag_of(contact) == "pending"
    record("START", days=1, phone=SECOND)
    assert flag_of(contact) is None


def test_stop_does_not_affect_another_company(contact, globex):
    foreign = ContactFactory(company=globex, phone=PHONE)
    record("STOP")
    assert not ContactFlag.objects.filter(contact=foreign).exists()
    assert OptOut.objects.get().company_id == contact.company_id


def test_stop_of_an_unknown_number_flags_its_later_contact(in_acme):
    record("STOP")
    assert flag_of(get_or_create_contact(company_id=in_acme.pk, phone=PHONE)) == "confirmed"


def test_recreated_contact_stays_opted_out(contact, in_acme):
    record("STOP")
    delete_contact(contact=contact)
    assert not ContactFlag.objects.exists()
    recreated = get_or_create_contact(company_id=in_acme.pk, phone=PHONE)
    assert flag_of(recreated) == "confirmed"
    assert OptOutEntry.objects.get().words == "STOP"


def test_added_number_brings_its_review_to_the_contact(contact, in_acme):
    record("hm", phone=SECOND)
    update_contact(contact=contact, phone=SECOND)
    assert flag_of(contact) == "pending"


def test_pending_campaign_memberships_end_and_sent_ones_stay(contact):
    waiting = CampaignMembershipFactory(contact=contact)
    sent = CampaignMembershipFactory(contact=contact, status="sent", sent_at=MONDAY)
    others = CampaignMembershipFactory(contact=ContactFactory(company=contact.company))
    record("hm")
    reasons = dict(CampaignMembership.objects.values_list("pk", "reason"))
    statuses = dict(CampaignMembership.objects.values_list("pk", "status"))
    assert statuses == {waiting.pk: "opted_out", sent.pk: "sent", others.pk: "pending"}
    assert reasons[waiting.pk] == "Possible opt-out, under review."


def test_user_opts_all_numbers_of_a_contact_out_and_in(contact, csr):
    ContactPhoneFactory(contact=contact, phone=SECOND)
    flag = opt_out_contact(contact=contact, user=csr, reason="Told me so.", evidence="On the phone.")
    assert (flag.reason, flag.source, flag.evidence, flag.created_by) == ("Told me so.", "manual", "On the phone.", csr)
    assert [state_of(phone) for phone in (PHONE, SECOND)] == ["opted_out", "opted_out"]
    assert set(OptOutEntry.objects.values_list("source", "created_by", "words")) == {
        ("manual", csr.pk, "On the phone.")
    }
    opt_in_contact(contact=contact, user=csr)
    assert [state_of(phone) for phone in (PHONE, SECOND)] == ["clear", "clear"]
    assert flag_of(contact) is None


@pytest.mark.parametrize(("state", "review"), [("opted_out", "confirmed"), ("under_review", "pending")])
def test_opt_out_of_another_program_without_entries_flags_the_owner_of_its_number(in_acme, state, review):
    OptOutFactory(company=in_acme, phone=PHONE, state=state)
    contact = get_or_create_contact(company_id=in_acme.pk, phone=PHONE)
    assert flag_of(contact) == review
    ContactPhoneFactory(contact=ContactFactory(company=in_acme), phone=SECOND)
    OptOutFactory(company=in_acme, phone=SECOND, state=state)
    ContactPhone.objects.filter(phone=SECOND).update(contact=contact)
    assert flag_of(contact) == review


@pytest.mark.parametrize(("review", "state"), [(confirm_opt_out, "opted_out"), (dismiss_opt_out, "clear")])
def test_opt_out_without_entries_can_be_reviewed(contact, in_acme, csr, review, state):
    opt_out = OptOutFactory(company=in_acme, phone=PHONE, state="under_review")
    review(opt_out=opt_out, user=csr)
    assert state_of() == state
    assert OptOutEntry.objects.get().occurred_at == opt_out.decided_at


def test_lock_of_a_number_without_entries_is_clear(contact):
    assert lock_opt_out(phone=PHONE).state == "clear"
    assert lock_opt_out(phone=PHONE) == OptOut.objects.get()
    assert not OptOut.objects.decided().exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_flags_match_opt_outs_after_random_actions(in_acme, seed):
    """Compare both tables after each of forty random actions on two contacts and three numbers."""
    rng = random.Random(seed)  # noqa: S311
    phones = [fictional_number(42_010 + n) for n in range(3)]
    ann, _bob = (get_or_create_contact(company_id=in_acme.pk, phone=phone) for phone in phones[:2])
    ContactPhoneFactory(contact=ann, phone=phones[2])

    def review(decide):
        waiting = OptOut.objects.filter(state="under_review").first()
        if waiting:
            decide(opt_out=waiting, user=None)

    def replace_bob():
        bob = Contact.objects.get(phone=phones[1])
        delete_contact(contact=bob)
        get_or_create_contact(company_id=in_acme.pk, phone=phones[1])

    def receive():
        record(rng.choice(list(RECORDERS)), days=rng.randrange(9), phone=rng.choice(phones))

    actions = [
        *[receive] * 6,
        lambda: review(confirm_opt_out),
        lambda: review(dismiss_opt_out),
        lambda: opt_out_contact(contact=ann, user=None),
        lambda: opt_in_contact(contact=ann, user=None),
        replace_bob,
    ]
    for _ in range(40):
        rng.choice(actions)()
        for contact in Contact.objects.all():
            states = set(opt_outs_of(contact).values_list("state", flat=True)) - {OptOutState.CLEAR}
            expected = "confirmed" if "opted_out" in states else "pending" if states else None
            assert flag_of(contact) == expected
            assert contact.flags.opted_out().count() <= 1
