"""The ledger of opt-outs, and the flags that follow from it."""

import itertools
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.choices import OptOutState
from crm.models import CampaignMembership, Contact, ContactFlag, OptOut, OptOutEntry
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
    fictional_number,
)

PHONE, SECOND = fictional_number(42_000), fictional_number(42_001)
MONDAY = timezone.now() - timedelta(days=9)
SAY = {"STOP": record_opt_out, "START": record_opt_in, "hm": flag_possible_opt_out}


@pytest.fixture
def contact(in_acme):
    return ContactFactory(company=in_acme, phone=PHONE)


def say(word, *, days=0, phone=PHONE, activity=None):
    """They said this so many days after Monday."""
    return SAY[word](
        phone=phone, words=word, source="sms", occurred_at=MONDAY + timedelta(days=days), activity=activity
    )


def state_of(phone=PHONE):
    return OptOut.objects.get(number_hash=hash_number(phone)).state


def flag_of(contact):
    """The review state of the flag in force; None if there is none."""
    return contact.flags.opted_out().values_list("review_state", flat=True).first()


def test_a_stop_is_kept_with_its_evidence_and_flags_the_contact(contact):
    text = ActivityFactory(contact=contact, body="Stop!")
    assert say("STOP", activity=text)
    entry = OptOutEntry.objects.get()
    assert (entry.action, entry.words, entry.source, entry.activity) == ("opted_out", "STOP", "sms", text)
    assert (entry.occurred_at, entry.opt_out.decided_at) == (MONDAY, MONDAY)
    flag = contact.flags.get()
    assert (flag.flag_type, flag.review_state, flag.expires_at) == ("opted_out", "confirmed", None)
    assert (flag.source, flag.evidence) == ("sms", "STOP")


def test_what_sounds_like_a_stop_is_one_until_a_person_has_looked(contact):
    assert say("hm")
    assert (state_of(), flag_of(contact)) == ("under_review", "pending")
    opt_out = dismiss_opt_out(opt_out=OptOut.objects.get(), user=None)
    assert (opt_out.state, state_of(), flag_of(contact)) == ("clear", "clear", None)


def test_a_confirmed_one_dates_from_when_it_was_said_and_names_the_message(contact, csr):
    text = ActivityFactory(contact=contact)
    say("hm", activity=text)
    confirm_opt_out(opt_out=OptOut.objects.get(), user=csr)
    assert (state_of(), flag_of(contact)) == ("opted_out", "confirmed")
    entry = OptOutEntry.objects.get(action="opted_out")
    assert (entry.occurred_at, entry.activity, entry.words) == (MONDAY, text, "hm")
    assert (entry.source, entry.created_by) == ("review", csr)


@pytest.mark.parametrize("review", [confirm_opt_out, dismiss_opt_out])
@pytest.mark.parametrize("word", ["STOP", "START"])
def test_what_is_not_under_review_can_not_be_reviewed(contact, word, review):
    say(word)
    with pytest.raises(NotUnderReview):
        review(opt_out=OptOut.objects.get(), user=None)
    assert OptOutEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "state"),
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
def test_whatever_order_it_is_heard_in_the_end_is_the_same(contact, said, state):
    for order in itertools.permutations(said):
        OptOutEntry.objects.all().delete()
        OptOut.objects.all().delete()
        contact.flags.all().delete()
        for word, days in order:
            say(word, days=days)
        assert (state_of(), bool(flag_of(contact))) == (state, state != "clear"), order


def test_a_stop_that_arrives_after_its_start_changes_nothing_and_is_kept(contact):
    assert not say("START", days=2)
    assert not say("STOP", days=1)
    assert (state_of(), flag_of(contact)) == ("clear", None)
    assert OptOutEntry.objects.count() == 2


def test_a_message_that_is_heard_again_adds_nothing(contact):
    text = ActivityFactory(contact=contact)
    assert say("STOP", activity=text)
    assert not say("STOP", activity=text)
    assert OptOutEntry.objects.count() == 1


def test_a_clock_that_is_ahead_does_not_decide_for_ever(contact):
    say("START", days=1000)
    record_opt_out(phone=PHONE, words="STOP", source="sms", occurred_at=timezone.now())
    assert state_of() == "opted_out"


def test_a_dismissal_is_not_of_what_arrives_after_it(contact):
    say("hm", days=2)
    dismiss_opt_out(opt_out=OptOut.objects.get(), user=None)
    say("hm", days=1)
    assert state_of() == "under_review"
    dismiss_opt_out(opt_out=OptOut.objects.get(), user=None)
    assert state_of() == "clear"


def test_the_flag_lasts_until_none_of_the_contact_s_numbers_is_out(contact):
    ContactPhoneFactory(contact=contact, phone=SECOND)
    say("STOP")
    say("hm", phone=SECOND)
    assert flag_of(contact) == "confirmed"
    say("START", days=1)
    assert flag_of(contact) == "pending"
    say("START", days=1, phone=SECOND)
    assert flag_of(contact) is None


def test_another_company_s_ledger_and_contact_are_left_alone(contact, globex):
    theirs = ContactFactory(company=globex, phone=PHONE)
    say("STOP")
    assert not ContactFlag.objects.filter(contact=theirs).exists()
    assert OptOut.objects.get().company_id == contact.company_id


def test_a_stop_of_a_number_that_nobody_has_waits_for_its_contact(in_acme):
    say("STOP")
    assert flag_of(get_or_create_contact(company_id=in_acme.pk, phone=PHONE)) == "confirmed"


def test_who_is_deleted_and_made_anew_stays_out(contact, in_acme):
    say("STOP")
    delete_contact(contact=contact)
    assert not ContactFlag.objects.exists()
    anew = get_or_create_contact(company_id=in_acme.pk, phone=PHONE)
    assert flag_of(anew) == "confirmed"
    assert OptOutEntry.objects.get().words == "STOP"


def test_a_number_brings_its_review_to_the_contact_that_it_joins(contact, in_acme):
    say("hm", phone=SECOND)
    update_contact(contact=contact, phone=SECOND)
    assert flag_of(contact) == "pending"


def test_what_waits_in_campaigns_is_taken_out_and_what_has_left_stays(contact):
    waiting = CampaignMembershipFactory(contact=contact)
    sent = CampaignMembershipFactory(contact=contact, status="sent", sent_at=MONDAY)
    others = CampaignMembershipFactory(contact=ContactFactory(company=contact.company))
    say("hm")
    reasons = dict(CampaignMembership.objects.values_list("pk", "reason"))
    statuses = dict(CampaignMembership.objects.values_list("pk", "status"))
    assert statuses == {waiting.pk: "opted_out", sent.pk: "sent", others.pk: "pending"}
    assert reasons[waiting.pk] == "Possible opt-out, under review."


def test_by_hand_all_numbers_of_a_contact_are_out_and_in_again(contact, csr):
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


def test_who_is_about_to_send_finds_a_row_that_says_nothing(contact):
    assert lock_opt_out(phone=PHONE).state == "clear"
    assert lock_opt_out(phone=PHONE) == OptOut.objects.get()
    assert not OptOut.objects.decided().exists()


@pytest.mark.parametrize("seed", range(20))
def test_flags_and_ledger_never_disagree(in_acme, seed):
    """Forty things done at random to two contacts and three numbers; after each, both tables say the same."""
    chance = random.Random(seed)  # noqa: S311
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

    def hear():
        say(chance.choice(list(SAY)), days=chance.randrange(9), phone=chance.choice(phones))

    deeds = [
        *[hear] * 6,
        lambda: review(confirm_opt_out),
        lambda: review(dismiss_opt_out),
        lambda: opt_out_contact(contact=ann, user=None),
        lambda: opt_in_contact(contact=ann, user=None),
        replace_bob,
    ]
    for _ in range(40):
        chance.choice(deeds)()
        for contact in Contact.objects.all():
            states = set(opt_outs_of(contact).values_list("state", flat=True)) - {OptOutState.CLEAR}
            expected = "confirmed" if "opted_out" in states else "pending" if states else None
            assert flag_of(contact) == expected
            assert contact.flags.opted_out().count() <= 1
